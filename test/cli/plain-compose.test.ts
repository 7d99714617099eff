import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { parse } from 'yaml';
import { Cli, type Finished, finished } from '../support/cli.js';
import { describeDocker } from '../support/docker.js';
import { until } from '../support/until.js';

const file = resolve(import.meta.dirname, '../../compose/bookinfo.yaml');
const compose = [['docker', 'compose'], ['docker-compose']].find(
  ([program = '', ...args]) => spawnSync(program, [...args, 'version'], { stdio: 'ignore' }).status === 0,
);
if (compose === undefined && process.env['MESH_SANDBOX_REQUIRE_DOCKER'] === '1')
  throw new Error('Docker Compose is required and not installed');
if (compose === undefined)
  console.warn('\n*** SKIPPED, no Docker Compose is installed: the sample without a mesh ***\n');

const PROJECT = 'mesh-sandbox-plain-test';
/** A tag of our own: suites beside this one make and remove the image under its usual names, and Compose would pull. */
const IMAGE = `${PROJECT}:local`;

describeDocker('compose/bookinfo.yaml without a mesh', () => {
  const cli = new Cli();
  const folder = mkdtempSync(join(tmpdir(), 'mesh-plain-'));
  const override = join(folder, 'image.yaml');

  /** Runs Compose; one that hangs is ended and counts as failed. */
  const run = async (...args: string[]): Promise<Finished> => {
    const [program = '', ...first] = compose ?? [];
    const all = [...first, '-p', PROJECT, '-f', file, '-f', override, ...args];
    return finished(spawn(program, all, { stdio: ['ignore', 'pipe', 'pipe'], timeout: 90_000 }));
  };

  beforeAll(async () => {
    if (compose === undefined) return;
    const names = Object.keys((parse(readFileSync(file, 'utf8')) as { services: object }).services);
    writeFileSync(
      override,
      JSON.stringify({ services: Object.fromEntries(names.map((name) => [name, { image: IMAGE }])) }),
    );
    // The first `up` makes the image that the file names.
    const up = await cli.run('up', '-d', '--runtime', 'docker', '--port', '0', '--json');
    expect(up.code).toBe(0);
    const step = up.stdout
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .find(({ name, state }) => name === 'image' && state === 'done');
    const made = /^mesh-sandbox:[0-9a-f]+/.exec(step?.text)?.[0] ?? '';
    expect(spawnSync('docker', ['tag', made, IMAGE]).status).toBe(0);
    await cli.run('down');
  });
  afterAll(async () => {
    if (compose !== undefined) {
      await run('down');
      spawnSync('docker', ['rmi', IMAGE], { timeout: 30_000 });
    }
    rmSync(folder, { recursive: true, force: true });
    await cli.close();
  });

  it.skipIf(compose === undefined)('runs with plain Docker Compose: the baseline of the baseline', async () => {
    expect(await run('up', '-d')).toMatchObject({ code: 0 });
    await until(
      async () => {
        const html = await fetch('http://127.0.0.1:9080/productpage', { signal: AbortSignal.timeout(5_000) }).then(
          (response) => response.text(),
          () => '',
        );
        return html.includes('Reviews served by');
      },
      'the page with reviews',
      60_000,
    );
  });
});
