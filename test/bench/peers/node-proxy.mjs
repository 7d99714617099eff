// Proxies that people would write themselves, from npm packages.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';

/** A peer that is an npm package and a program beside this folder. */
export function nodeProxy(name, packageName) {
  const program = new URL(`../programs/${packageName}.mjs`, import.meta.url).pathname;
  return {
    NAME: name,
    find() {
      try {
        const main = createRequire(program).resolve(packageName);
        const folder = main.slice(0, main.lastIndexOf(join('node_modules', packageName)));
        const manifest = join(folder, 'node_modules', packageName, 'package.json');
        return { version: JSON.parse(readFileSync(manifest, 'utf8')).version, folder: dirname(manifest) };
      } catch {
        return null;
      }
    },
    async plain(stage, _found, { origin }) {
      const port = await stage.port();
      const child = await stage.start({
        name: packageName,
        command: process.execPath,
        args: ['--no-deprecation', program, JSON.stringify({ port, upstreamPort: origin })],
        ready: 'line',
      });
      return { port, pids: [child.pid] };
    },
  };
}
