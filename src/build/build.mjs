// Builds dist/: host programs as ESM with dependencies left outside (blessed and dockerode must not be bundled), and the
// container programs as single CommonJS files that need no node_modules. Entries that do not exist yet are skipped.
import { execFileSync } from 'node:child_process';
import { existsSync, rmSync } from 'node:fs';
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

rmSync(`${root}dist`, { recursive: true, force: true });

const common = { absWorkingDir: root, bundle: true, platform: 'node', target: 'node20', logLevel: 'warning' };
await Promise.all([
  build({
    ...common,
    entryPoints: host,
    outdir: 'dist',
    format: 'esm',
    // Dependencies stay outside, but for the one that every command needs at once.
    packages: 'external',
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
