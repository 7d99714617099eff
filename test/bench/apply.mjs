// Figures of policies: how long reading, checking and compiling take, and until the last of many sidecars serves by a change.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { stringify } from 'yaml';
import { median } from './measure.mjs';
import { cliFile } from './sandbox.mjs';

const SERVICES = 50;

/** So many services, each a program that answers 200; the first one is behind the gateway and calls nobody. */
function composeFile(services) {
  const answer = "require('node:http').createServer((q, a) => a.end('ok')).listen(process.env.PORT, '127.0.0.1')";
  const entries = Array.from({ length: services }, (_, i) => [
    `s${i}-v1`,
    {
      image: 'node:26-alpine',
      labels: { app: `s${i}`, version: 'v1' },
      ports: ['9080'],
      'x-mesh': { local: [process.execPath, '-e', answer] },
    },
  ]);
  return stringify({
    services: Object.fromEntries(entries),
    'x-mesh': { gateway: { service: 's0', port: 9080 }, load: { rps: 0, paths: ['/'] } },
  });
}

const rule = (weight) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: one, namespace: default }
spec:
  hosts: [ s0 ]
  http:
  - match: [ { uri: { prefix: /x${weight} } } ]
    route: [ { destination: { host: s1 } } ]
  - route: [ { destination: { host: s0 } } ]
`;

/** Ms until the last sidecar serves by one changed rule, and failures of a constant load meanwhile. */
export async function applies({ rounds, rps }) {
  const home = mkdtempSync(join(tmpdir(), 'mesh-bench-'));
  const file = join(home, 'fifty.yaml');
  writeFileSync(file, composeFile(SERVICES));
  const run = (...args) => {
    const result = spawnSync(process.execPath, [cliFile, ...args], {
      encoding: 'utf8',
      env: { ...process.env, MESH_SANDBOX_HOME: home, NO_COLOR: '1' },
    });
    if (result.status !== 0) throw new Error(`${args.join(' ')}: ${result.stderr}${result.stdout}`);
    return result;
  };
  try {
    run('up', file, '-d', '--runtime', 'local', '--port', '0', '--load', '0');
    const sandbox = JSON.parse(run('list', '-o', 'json').stdout);
    const name = sandbox[0]?.name ?? sandbox.sandboxes?.[0]?.name;
    const { apiPort, apiToken } = JSON.parse(readFileSync(join(home, `sandboxes/${name}/sandbox.json`), 'utf8'));
    const { status } = JSON.parse(run('status', '-o', 'json').stdout);
    const load = constantLoad(status.gatewayUrl, rps);
    const last = [];
    for (let i = 0; i < rounds; i++) {
      const response = await fetch(`http://127.0.0.1:${apiPort}/api/v1/resources`, {
        method: 'POST',
        headers: { authorization: `Bearer ${apiToken}`, 'content-type': 'application/json' },
        body: JSON.stringify({ files: [{ name: 'one.yaml', text: rule(i) }] }),
      });
      const result = await response.json();
      if (!result.applied || result.sidecars.length < SERVICES) throw new Error(JSON.stringify(result).slice(0, 2_000));
      last.push(Math.max(...result.sidecars.map(({ ms }) => ms)));
    }
    const { sent, failed } = await load.end();
    run('down');
    return { median: median(last), max: Math.max(...last), sent, failed };
  } finally {
    spawnSync(process.execPath, [cliFile, 'down', '--all'], { env: { ...process.env, MESH_SANDBOX_HOME: home } });
    rmSync(home, { recursive: true, force: true });
  }
}

function constantLoad(url, rps) {
  let sent = 0;
  let failed = 0;
  const under = new Set();
  const timer = setInterval(() => {
    for (let i = 0; i < rps / 50; i++) {
      sent++;
      const asked = fetch(url)
        .then((response) => response.arrayBuffer().then(() => response.status !== 200 && failed++))
        .catch(() => failed++)
        .finally(() => under.delete(asked));
      under.add(asked);
    }
  }, 20);
  return {
    async end() {
      clearInterval(timer);
      await Promise.all(under);
      return { sent, failed };
    },
  };
}

/** Times of fresh processes, ms: reading and compiling a thousand resources, analysing them, refusing hostile ones. */
export async function policyTimes(rounds) {
  const folder = mkdtempSync(join(tmpdir(), 'mesh-bench-'));
  const outfile = join(folder, 'policies.cjs');
  const entry = new URL('./programs/policies.ts', import.meta.url).pathname;
  await build({ entryPoints: [entry], bundle: true, platform: 'node', format: 'cjs', outfile, logLevel: 'error' });
  try {
    const runs = Array.from({ length: rounds }, () => {
      const { status, stdout, stderr } = spawnSync(process.execPath, [outfile], { encoding: 'utf8' });
      if (status !== 0) throw new Error(stderr);
      return JSON.parse(stdout);
    });
    const of = (name) => runs.map((run) => run[name]);
    return { compile: of('compile'), analyze: of('analyze'), hostile: of('hostile'), slowest: runs[0].slowest };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
