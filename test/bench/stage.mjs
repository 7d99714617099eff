// Where a measurement happens: a temporary folder, loopback ports, processes pinned to cores. Whatever was started ends
// with `stop()`, whether the measurement succeeded or not.
import { execFileSync, spawn } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** The proxy under test has core 0 for itself; generator and origin share core 1. */
export const CORES = { proxy: 0, others: 1 };

const FIRST_PORT = 18400;
const LAST_PORT = 18899;
const READY_MS = 15_000;
const END_MS = 2_000;

/** Every process that is running, of all stages: an interrupted bench leaves none behind. */
const alive = new Set();
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.once(signal, () => {
    for (const child of alive) child.kill('SIGKILL');
    process.exit(1);
  });
}
process.on('exit', () => {
  for (const child of alive) child.kill('SIGKILL');
});

let nextPort = FIRST_PORT;

export class Stage {
  folder = mkdtempSync(join(tmpdir(), 'mesh-bench-'));
  #children = [];

  /** A loopback port that nobody listens on. */
  async port() {
    for (let tries = 0; tries <= LAST_PORT - FIRST_PORT; tries++) {
      const port = nextPort;
      nextPort = nextPort === LAST_PORT ? FIRST_PORT : nextPort + 1;
      if (await isFree(port)) return port;
    }
    throw new Error(`no port from ${FIRST_PORT} to ${LAST_PORT} is free`);
  }

  /** Writes a file into the folder and returns its path. */
  file(name, text, mode = 0o600) {
    const path = join(this.folder, name);
    writeFileSync(path, text, { mode });
    return path;
  }

  /** A file of so many zero bytes that takes no room. */
  sparse(name, bytes) {
    const path = this.file(name, '', 0o644);
    truncateSync(path, bytes);
    return path;
  }

  /**
   * Starts a process and waits until it says a line (`ready: 'line'`) or something listens on a port (`ready: port`).
   * @param {{ name: string, command: string, args: string[], ready: 'line' | number, core?: number, env?: object }} options
   */
  async start({ name, command, args, ready, core = CORES.proxy, env = {} }) {
    const log = join(this.folder, `${name}.stderr`);
    const stderr = openSync(log, 'a');
    const child = spawn('taskset', ['-c', String(core), command, ...args], {
      stdio: ['pipe', 'pipe', stderr],
      env: { ...process.env, ...env },
      cwd: this.folder,
    });
    closeSync(stderr);
    this.#children.push(child);
    alive.add(child);
    child.once('exit', () => alive.delete(child));
    const ended = new Promise((_resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, signal) =>
        reject(new Error(`${name} ended (${signal ?? code}): ${tail(readFileSync(log, 'utf8'))}`)),
      );
    });
    ended.catch(() => {});
    const said = new Promise((resolve) => child.stdout.once('data', resolve));
    child.stdout.resume();
    let limit;
    const late = new Promise((_resolve, reject) => {
      limit = setTimeout(() => reject(new Error(`${name} is not ready after ${READY_MS} ms`)), READY_MS);
    });
    try {
      await Promise.race([ready === 'line' ? said : untilListening(ready, () => child.exitCode === null), ended, late]);
    } finally {
      clearTimeout(limit);
    }
    return child;
  }

  /** Ends one process, by force when it does not obey. */
  async end(child) {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGTERM');
    const force = setTimeout(() => child.kill('SIGKILL'), END_MS);
    await ended;
    clearTimeout(force);
  }

  async stop() {
    await Promise.all(this.#children.map((child) => this.end(child)));
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** Runs `use` with a stage that is cleared afterwards. */
export async function withStage(use) {
  const stage = new Stage();
  try {
    return await use(stage);
  } finally {
    await stage.stop();
  }
}

/** Runs a program to its end on core 1 and returns what it printed; ended by force after `limitMs`. */
export function run(command, args, limitMs) {
  return new Promise((resolve, reject) => {
    const child = spawn('taskset', ['-c', String(CORES.others), command, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    alive.add(child);
    const limit = setTimeout(() => child.kill('SIGKILL'), limitMs);
    let output = '';
    let errors = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      errors += text;
    });
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(limit);
      alive.delete(child);
      if (code === 0) resolve(output);
      else reject(new Error(`${command} ended (${signal ?? code}): ${tail(errors || output)}`));
    });
  });
}

export function installed(command) {
  try {
    return execFileSync('sh', ['-c', 'command -v "$1"', 'sh', command], { encoding: 'utf8' }).trim();
  } catch {
    return null;
  }
}

export function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

async function untilListening(port, goingOn) {
  for (const end = Date.now() + READY_MS; Date.now() < end && goingOn(); ) {
    if (!(await isFree(port))) return;
    await pause(20);
  }
}

function isFree(port) {
  return new Promise((resolve) => {
    const socket = connect({ host: '127.0.0.1', port });
    socket.once('connect', () => {
      socket.destroy();
      resolve(false);
    });
    socket.once('error', () => {
      // Nobody answers; whether it can be taken is another question (a socket of another program may hold it).
      const probe = createServer();
      probe.once('error', () => resolve(false));
      probe.listen(port, '127.0.0.1', () => probe.close(() => resolve(true)));
    });
  });
}

function tail(text) {
  return text.trim().split('\n').slice(-3).join(' | ').slice(-600);
}
