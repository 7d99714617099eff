// What would be published: exactly the built programs, the samples and the papers; no install script of ours.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

const manifest = JSON.parse(readFileSync('package.json', 'utf8'));
const [pack] = JSON.parse(
  execFileSync('npm', ['pack', '--dry-run', '--json', '--ignore-scripts'], {
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'ignore'],
  }),
);
const allowed = /^(dist\/|compose\/[\w-]+\.yaml$|README\.md$|LICENSE$|package\.json$)/;
const problems = pack.files
  .map(({ path }) => path)
  .filter((path) => !allowed.test(path))
  .map((path) => `not to be published: ${path}`);
for (const path of [
  'dist/cli/main.js',
  'dist/keeper/main.js',
  'dist/container/proxy.cjs',
  'dist/container/control-plane.cjs',
  'dist/container/samples.cjs',
  'compose/bookinfo.yaml',
]) {
  if (!pack.files.some((file) => file.path === path)) problems.push(`missing: ${path}`);
}
for (const name of ['preinstall', 'install', 'postinstall'])
  if (manifest.scripts[name]) problems.push(`install script: ${name}`);
if (pack.size > 3 * 1024 * 1024) problems.push(`${pack.size} bytes packed are more than 3 MiB`);
for (const problem of problems) console.error(problem);
console.log(`${pack.files.length} files, ${pack.size} bytes packed`);
process.exitCode = problems.length === 0 ? 0 : 1;
