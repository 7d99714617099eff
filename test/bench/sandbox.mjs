// Figures of a whole sandbox: time to the first 200, down, image, memory of a sidecar, --help.
import { execFileSync, spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import { median } from './measure.mjs';

export const cliFile = new URL('../../dist/cli/main.js', import.meta.url).pathname;

export function engineAnswers() {
  return spawnSync('docker', ['info'], { stdio: 'ignore' }).status === 0;
}

/** Times of `up -d` (to the first 200 through gateway and mutual TLS, as `up` itself waits for) and `down`, seconds. */
export async function upAndDown(runtime, rounds) {
  const times = { up: [], down: [] };
  await withHome(async (run) => {
    for (let i = 0; i < rounds; i++) {
      times.up.push(timed(() => run('up', '-d', '--runtime', runtime, '--port', '0')));
      times.down.push(timed(() => run('down')));
    }
  });
  return {
    up: median(times.up),
    down: median(times.down),
    upMax: Math.max(...times.up),
    downMax: Math.max(...times.down),
  };
}

/** Time that the image step takes when no image of ours is there, seconds, from its own report. */
export async function imageAssembly() {
  let seconds = 0;
  await withHome(async (run) => {
    for (const line of execFileSync('docker', ['images', '-q', '--filter', 'label=dev.mesh-sandbox.image-owner'], {
      encoding: 'utf8',
    })
      .split('\n')
      .filter(Boolean)) {
      spawnSync('docker', ['rmi', '-f', line], { stdio: 'ignore' });
    }
    const output = run('up', '-d', '--runtime', 'docker', '--port', '0', '--json').stdout;
    const step = output
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line))
      .find((entry) => entry.name === 'image' && entry.state === 'done');
    seconds = step.ms / 1000;
    run('down');
  });
  return seconds;
}

/** Memory of the sidecars of one sandbox (cgroup working set on Docker), MiB: idle, and after a minute at `rps`. */
export async function sidecarMemory(runtime, rps, seconds) {
  let result = {};
  await withHome(async (run) => {
    run('up', '-d', '--runtime', runtime, '--port', '0', '--load', '0');
    await pause(8);
    const idle = memory(run);
    run('load', String(rps), '--path', '/api/v1/products');
    await pause(seconds);
    const loaded = memory(run);
    const load = run('load').stdout.trim();
    run('down');
    result = { idle, loaded, load };
  });
  return result;
}

function memory(run) {
  const { workloads } = JSON.parse(run('status', '-o', 'json').stdout);
  const values = workloads.map(({ usage }) => (usage.sidecar?.memoryBytes ?? 0) / 1024 / 1024);
  return { median: median(values), max: Math.max(...values) };
}

/** Requests through the whole chain while the control plane is killed `kills` times; how many were not answered 200. */
export async function restarts(runtime, requests, kills) {
  const statuses = new Map();
  const served = {};
  await withHome(async (run, home) => {
    run('up', loggingBookinfo(home), '-d', '--runtime', runtime, '--port', '0', '--load', '0');
    const { status } = JSON.parse(run('status', '-o', 'json').stdout);
    let sent = 0;
    const ask = async () => {
      while (sent < requests) {
        sent++;
        const code = await fetch(`${status.gatewayUrl}/productpage`).then(
          async (response) => {
            await response.arrayBuffer();
            return response.status;
          },
          () => 0,
        );
        statuses.set(code, (statuses.get(code) ?? 0) + 1);
      }
    };
    const asking = Promise.all(Array.from({ length: 8 }, ask));
    for (let n = 1; n <= kills; n++) {
      while (sent < (requests * n) / (kills + 1)) await pause(0.05);
      kill(runtime, home, 'control-plane');
    }
    await asking;
    Object.assign(served, countServed(run));
    run('down');
  });
  return { statuses: Object.fromEntries(statuses), ...served };
}

/** Seconds until a part that was killed with SIGKILL is back: a sidecar in the mesh again, the control plane ready. */
export async function comebacks(runtime, rounds) {
  const times = { sidecar: [], controlPlane: [] };
  await withHome(async (run, home) => {
    run('up', '-d', '--runtime', runtime, '--port', '0', '--load', '0');
    const { apiPort, apiToken } = JSON.parse(readFileSync(join(home, 'sandboxes/bookinfo/sandbox.json'), 'utf8'));
    const ask = (path) =>
      fetch(`http://127.0.0.1:${apiPort}/api/v1/${path}`, { headers: { authorization: `Bearer ${apiToken}` } })
        .then((response) => response.json())
        .catch(() => null);
    const details = async () => (await ask('workloads'))?.find(({ name }) => name === 'details-v1');
    const timedUntil = async (condition) => {
      const started = performance.now();
      while (!(await condition())) await pause(0.01);
      return (performance.now() - started) / 1000;
    };
    for (let i = 0; i < rounds; i++) {
      const before = (await details()).restarts.sidecar;
      kill(runtime, home, 'details-v1/sidecar');
      times.sidecar.push(
        await timedUntil(async () => {
          const view = await details();
          return view?.restarts.sidecar > before && view.sidecar === 'connected' && view.appReady;
        }),
      );
      const { startedAt } = await ask('status');
      kill(runtime, home, 'control-plane');
      times.controlPlane.push(
        await timedUntil(async () => {
          const status = await ask('status');
          return status !== null && status.startedAt !== startedAt && status.ready;
        }),
      );
    }
    run('down');
  });
  return { sidecar: Math.max(...times.sidecar), controlPlane: Math.max(...times.controlPlane) };
}

/** Bookinfo whose apps write a line per request. */
function loggingBookinfo(home) {
  const app = parse(readFileSync(new URL('../../compose/bookinfo.yaml', import.meta.url), 'utf8'));
  for (const service of Object.values(app.services)) service.environment = { ...service.environment, ACCESS_LOG: '1' };
  const file = join(home, 'bookinfo.yaml');
  writeFileSync(file, stringify(app));
  return file;
}

/** What the apps themselves say: of how many requests each saw a call, and how many calls came more than once. */
function countServed(run) {
  const seen = {};
  let duplicates = 0;
  for (const [app, paths] of [
    ['productpage-v1', /^GET \/productpage /],
    ['details-v1', /^GET \/details\//],
    ['reviews-v1,reviews-v2,reviews-v3', /^GET \/reviews\//],
    ['ratings-v1', /^GET \/ratings\//],
  ]) {
    const ids = new Map();
    for (const workload of app.split(',')) {
      for (const line of run('logs', workload, '--tail', '1000000').stdout.split('\n')) {
        if (paths.test(line)) ids.set(line, (ids.get(line) ?? 0) + 1);
      }
    }
    seen[app.split('-')[0]] = ids.size;
    duplicates += [...ids.values()].filter((count) => count > 1).length;
  }
  return { seen, duplicates };
}

function kill(runtime, home, part) {
  if (runtime === 'docker') {
    const owner = readFileSync(join(home, 'owner'), 'utf8').trim();
    const id = execFileSync(
      'docker',
      ['ps', '-q', '-f', `label=dev.mesh-sandbox.owner=${owner}`, '-f', `label=dev.mesh-sandbox.part=${part}`],
      { encoding: 'utf8' },
    ).trim();
    if (id !== '') spawnSync('docker', ['kill', id], { stdio: 'ignore' });
    return;
  }
  const file = join(home, 'sandboxes/bookinfo/processes.json');
  const known = existsSync(file)
    ? JSON.parse(readFileSync(file, 'utf8')).find((known) => known.part === part)
    : undefined;
  if (known) process.kill(known.pid, 'SIGKILL');
}

export function helpTime(rounds = 11) {
  return (
    median(
      Array.from({ length: rounds }, () =>
        timed(() => execFileSync(process.execPath, [cliFile, '--help'], { stdio: 'ignore' })),
      ),
    ) * 1000
  );
}

async function withHome(use) {
  const home = mkdtempSync(join(tmpdir(), 'mesh-bench-home-'));
  const run = (...args) => {
    const result = spawnSync(process.execPath, [cliFile, ...args], {
      encoding: 'utf8',
      maxBuffer: 2 ** 28,
      env: { ...process.env, MESH_SANDBOX_HOME: home, NO_COLOR: '1' },
    });
    if (result.status !== 0) throw new Error(`mesh-sandbox ${args.join(' ')}: ${result.stderr}`);
    return result;
  };
  try {
    await use(run, home);
  } finally {
    spawnSync(process.execPath, [cliFile, 'down', '--all'], {
      env: { ...process.env, MESH_SANDBOX_HOME: home },
      stdio: 'ignore',
    });
    rmSync(home, { recursive: true, force: true });
  }
}

function timed(run) {
  const started = performance.now();
  run();
  return (performance.now() - started) / 1000;
}

function pause(seconds) {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}
