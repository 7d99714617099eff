// Builds dist/: host programs as ESM with dependencies left outside (blessed and dockerode must not be bundled), and the
// container programs as single CommonJS files that need no node_modules. Entries that do not exist yet are skipped.
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync } from 'node:fs';
import { build } from 'esbuild';

const root = new URL('../../', import.meta.url).pathname;
const present = (entries) => Object.fromEntries(Object.entries(entries).filter(([, file]) => existsSync(root + file)));

const host = present({
  index: 'src/index.ts',
  'cli/main': 'src/cli/main.ts',
  'keeper/main': 'src/keeper/main.ts',
});

const container = present({
  'control-plane': 'src/control-plane/main.ts',
  proxy: 'src/proxy/main.ts',
  load: 'src/load/main.ts',
  baseline: 'src/baseline/main.ts',
  probe: 'src/runtime/probe/main.ts',
  samples: 'examples/bookinfo/main.ts',
});

const { dependencies } = JSON.parse(readFileSync(`${root}package.json`, 'utf8'));
// Plain JavaScript that nearly every command needs at once: one file is read faster than a hundred.
const inside = new Set(['commander', 'yaml']);

rmSync(`${root}dist`, { recursive: true, force: true });

const common = { absWorkingDir: root, bundle: true, platform: 'node', target: 'node20', logLevel: 'warning' };
await Promise.all([
  build({
    ...common,
    entryPoints: host,
    outdir: 'dist',
    format: 'esm',
    external: Object.keys(dependencies).filter((name) => !inside.has(name)),
    // What is CommonJS inside asks for Node's own modules by `require`.
    banner: {
      js: "import { createRequire as requireFrom } from 'node:module'; const require = requireFrom(import.meta.url);",
    },
    splitting: true,
    chunkNames: 'chunks/[name]-[hash]',
  }),
  build({
    ...common,
    entryPoints: container,
    outdir: 'dist/container',
    outExtension: { '.js': '.cjs' },
    format: 'cjs',
    external: ['koffi', 'node:ffi'],
    minifySyntax: true,
    legalComments: 'none',
  }),
]);

// Types of the public exports. TypeScript is there in a checkout, which is the only place where this runs.
execFileSync(process.execPath, [`${root}node_modules/typescript/bin/tsc`, '-p', `${root}src/build/types.json`], {
  stdio: 'inherit',
});
