import { execFileSync, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Cli } from '../support/cli.js';
import { describeDocker } from '../support/docker.js';
import { until } from '../support/until.js';

const file = resolve(import.meta.dirname, '../../compose/bookinfo.yaml');
const compose = [['docker', 'compose'], ['docker-compose']].find(
  ([program = '', ...args]) => spawnSync(program, [...args, 'version'], { stdio: 'ignore' }).status === 0,
);
if (compose === undefined)
  console.warn('\n*** SKIPPED, no Docker Compose is installed: the sample without a mesh ***\n');

describeDocker('compose/bookinfo.yaml without a mesh', () => {
  const cli = new Cli();
  const run = (...args: string[]): string => {
    const [program = '', ...first] = compose ?? [];
    return execFileSync(program, [...first, '-p', 'mesh-sandbox-plain-test', '-f', file, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
  };
  afterAll(async () => {
    if (compose !== undefined) run('down');
    await cli.close();
  });

  it.skipIf(compose === undefined)(
    'runs with plain Docker Compose: the baseline of the baseline',
    async () => {
      // The first `up` makes the image that the file names.
      expect((await cli.run('up', '-d', '--runtime', 'docker', '--port', '0')).code).toBe(0);
      await cli.run('down');
      run('up', '-d');
      await until(
        async () => {
          const html = await fetch('http://127.0.0.1:9080/productpage').then(
            (response) => response.text(),
            () => '',
          );
          return html.includes('Reviews served by');
        },
        'the page with reviews',
        60_000,
      );
    },
    240_000,
  );
});
