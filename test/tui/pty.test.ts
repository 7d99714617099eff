import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type IPty, spawn } from '@lydell/node-pty';
import { build } from 'esbuild';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { until } from '../support/until.js';
import { FakeControlPlane } from './support/fake-control-plane.js';
import { Screen } from './support/screen.js';

const root = resolve(import.meta.dirname, '../..');
let directory = '';
let plane: FakeControlPlane;
let url = '';
let terminal: IPty | null = null;

interface Running {
  readonly terminal: IPty;
  readonly screen: Screen;
  readonly exit: Promise<{ readonly exitCode: number; readonly signal?: number | undefined }>;
  shows(text: string): Promise<void>;
}

beforeAll(async () => {
  // Inside the project, so that packages left outside the bundle are found.
  mkdirSync(join(root, '.cache'), { recursive: true });
  directory = mkdtempSync(join(root, '.cache', 'tui-'));
  await build({
    entryPoints: [join(import.meta.dirname, 'fixture.ts')],
    outfile: join(directory, 'fixture.mjs'),
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    packages: 'external',
    logLevel: 'error',
  });
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

beforeEach(async () => {
  plane = new FakeControlPlane();
  url = await plane.start();
});

afterEach(async () => {
  terminal?.kill('SIGKILL');
  terminal = null;
  await plane.stop().catch(() => {});
});

function start(mode: 'owned' | 'attached', environment: Record<string, string> = {}): Running {
  const screen = new Screen(100, 30);
  const child = spawn(process.execPath, [join(directory, 'fixture.mjs'), url, mode], {
    cols: 100,
    rows: 30,
    cwd: root,
    env: { PATH: process.env['PATH'] ?? '', TERM: 'xterm-kitty', LANG: 'C.UTF-8', ...environment },
  });
  terminal = child;
  child.onData((data) => screen.write(data));
  const exit = new Promise<{ exitCode: number; signal?: number | undefined }>((done) => child.onExit(done));
  const shows = (text: string): Promise<void> => {
    return until(() => screen.text.includes(text), `the screen shows ${text}`).catch((error: Error) => {
      throw new Error(`${error.message}; it shows\n${screen.text}`);
    });
  };
  return { terminal: child, screen, exit, shows };
}

async function restored({ screen, shows }: Running, lastWords: string): Promise<void> {
  await shows(lastWords);
  expect(screen.alternate).toBe(false);
  expect(screen.written.lastIndexOf('\x1b[?25h')).toBeGreaterThan(screen.written.lastIndexOf('\x1b[?25l'));
}

describe('in a real terminal', () => {
  it('is a tour of the mesh that ends where it began', async () => {
    const running = start('owned');
    const { terminal: keys, shows, exit, screen } = running;
    await shows('productpage-v1');
    expect(screen.alternate).toBe(true);
    keys.write('2');
    await shows('one row per request');
    keys.write('j\r');
    await shows('whose fault: injected');
    keys.write('\x1b');
    await shows('one row per request');
    keys.write('3');
    await shows('abort 503');
    keys.write(' ');
    await until(() => plane.asked.includes('PUT /api/v1/faults/f1'), 'the fault is switched');
    keys.write('x');
    await until(() => plane.asked.includes('DELETE /api/v1/faults'), 'all faults are removed');
    keys.write('a');
    await shows('Break what?');
    keys.write('\r1');
    await until(() => plane.asked.includes('POST /api/v1/faults'), 'a fault is added');
    keys.write('t+');
    await until(() => plane.asked.includes('PUT /api/v1/load'), 'the load is changed');
    plane.send({ type: 'notice', notice: { at: 1, level: 'error', text: 'evil \x1b[2J\x1b]0;owned\x07 notice' } });
    keys.write('5');
    await shows('evil \\x1b[2J\\x1b]0;owned\\x07 notice');
    keys.resize(40, 10);
    screen.terminal.resize(40, 10);
    await shows('needs 60x20');
    keys.resize(130, 40);
    screen.terminal.resize(130, 40);
    await shows('[5 events]');
    keys.write('q');
    await shows('Leave bookinfo?');
    keys.write('d');
    expect((await exit).exitCode).toBe(0);
    await restored(running, 'left: down');
  });

  it('goes on when the control plane goes away, and leaves on ctrl-c', async () => {
    const running = start('attached', { NO_COLOR: '1' });
    await running.shows('productpage-v1');
    await plane.stop();
    await running.shows('control plane not answering since');
    running.terminal.write('\x03');
    expect((await running.exit).exitCode).toBe(0);
    await restored(running, 'left: detach');
    expect(running.screen.written).not.toMatch(/\x1b\[[0-9;]*3[1-6][0-9;]*m/);
  });

  it('draws ASCII where the locale knows nothing else', async () => {
    const running = start('attached', { LANG: 'C', LC_ALL: 'C' });
    await running.shows('`-productpage-v1');
    expect(running.screen.written).toMatch(/^[\x00-\x7f]*$/);
    running.terminal.write('q');
    await restored(running, 'left: detach');
  });

  it.each(['SIGTERM', 'SIGHUP', 'SIGINT'])('gives the terminal back on %s', async (signal) => {
    const running = start('owned');
    await running.shows('productpage-v1');
    running.terminal.kill(signal);
    expect((await running.exit).exitCode).toBe(0);
    await restored(running, 'left: detach');
  });

  it('gives the terminal back when something else breaks', async () => {
    const running = start('owned');
    await running.shows('productpage-v1');
    running.terminal.kill('SIGUSR2');
    expect((await running.exit).exitCode).toBe(1);
    await restored(running, 'a mistake elsewhere');
  });
});
