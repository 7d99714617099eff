import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort } from '../../src/runtime/ports.js';

const folder = mkdtempSync(join(tmpdir(), 'samples-'));
const program = join(folder, 'samples.cjs');
const started: ChildProcess[] = [];

beforeAll(() =>
  // The bundle as the image has it, in a folder without node_modules.
  build({
    entryPoints: ['examples/bookinfo/main.ts'],
    outfile: program,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'cjs',
  }),
);
afterAll(() => {
  for (const child of started) child.kill('SIGKILL');
  rmSync(folder, { recursive: true, force: true });
});

function start(service: string, environment: Record<string, string>): ChildProcess {
  const child = spawn(process.execPath, [program, service], { env: { PATH: process.env['PATH'], ...environment } });
  started.push(child);
  return child;
}

/** The first line it prints. */
async function ready(child: ChildProcess): Promise<string> {
  const [chunk] = (await once(child.stdout as NodeJS.ReadableStream, 'data')) as [Buffer];
  return chunk.toString().trim();
}

async function exitOf(child: ChildProcess): Promise<number | null> {
  if (child.exitCode !== null) return child.exitCode;
  const [code] = (await once(child, 'exit')) as [number | null];
  return code;
}

describe('samples.cjs', () => {
  it.each(['productpage', 'details', 'reviews', 'ratings'])('%s starts, and ends at SIGTERM', async (service) => {
    const child = start(service, { PORT: '0', SERVICE_VERSION: 'v2' });
    expect(await ready(child)).toBe(`${service} v2 listens on 0`);
    child.kill('SIGTERM');
    expect(await exitOf(child)).toBe(0);
  });

  it('ends with its standard input only as a local process', async () => {
    const local = start('ratings', { PORT: '0', MESH_LIFELINE: '1' });
    await ready(local);
    local.stdin?.end();
    expect(await exitOf(local)).toBe(0);

    const port = await freePort();
    const contained = start('ratings', { PORT: String(port) });
    await ready(contained);
    contained.stdin?.end();
    // The second answer comes after it has seen the end of its input.
    for (const _ of [1, 2]) expect((await fetch(`http://127.0.0.1:${port}/health`)).status).toBe(200);
    expect(contained.exitCode).toBeNull();
  });

  it.each([
    ['rating', '0', 'there are: productpage, details, reviews, ratings'],
    ['ratings', 'eighty', 'PORT must be a port number, not "eighty"'],
  ])('refuses %s on port %s', async (service, port, words) => {
    const child = start(service, { PORT: port });
    const [chunk] = (await once(child.stderr as NodeJS.ReadableStream, 'data')) as [Buffer];
    expect(chunk.toString()).toContain(words);
    expect(await exitOf(child)).toBe(2);
  });
});
