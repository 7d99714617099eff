// CPU per request of the sidecar against peers: interleaved rounds, one worker each pinned to core 0, generator and
// origin on core 1, medians of ratios. Peers that are not installed are said, not guessed.
import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';

const PORTS = {
  origin: 18400,
  sidecar: 18401,
  nginx: 18402,
  haproxy: 18403,
  proxy3: 18404,
  client: 18405,
  server: 18406,
  nginxClient: 18407,
  nginxServer: 18408,
};
const here = new URL('.', import.meta.url).pathname;

export async function dataPlane({ rounds = 5, seconds = 4, connections = 50 } = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'mesh-bench-'));
  const running = [];
  const start = async (name, command, args, ready) => {
    const child = spawn('taskset', ['-c', name === 'origin' ? '1' : '0', command, ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    running.push(child);
    await (ready === 'line' ? new Promise((resolve) => child.stdout.once('data', resolve)) : untilAnswers(ready));
    return child.pid;
  };
  try {
    await build({
      entryPoints: [`${here}sidecar.ts`],
      outfile: join(folder, 'sidecar.mjs'),
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      external: ['koffi', 'pino'],
      logLevel: 'error',
      banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
    });
    if (!installed('nginx') || !installed('wrk'))
      throw new Error('the bench needs nginx and wrk (apt-get install nginx-light wrk)');
    await start(
      'origin',
      'nginx',
      [
        '-p',
        folder,
        '-c',
        nginxConfig(
          folder,
          'origin',
          `server { listen 127.0.0.1:${PORTS.origin}; keepalive_requests 1000000000; location / { return 200 "${'x'.repeat(1024)}"; } }`,
        ),
      ],
      PORTS.origin,
    );
    const candidates = [];
    const add = async (name, port, pids) => candidates.push({ name, port, pids, samples: [] });
    const pid = await start(
      'sidecar',
      process.execPath,
      [
        '--max-semi-space-size=2',
        '--max-old-space-size=96',
        join(folder, 'sidecar.mjs'),
        JSON.stringify({ role: 'outbound', port: PORTS.sidecar, upstreamPort: PORTS.origin, tls: null }),
      ],
      'line',
    );
    await add('mesh-sandbox', PORTS.sidecar, [pid]);
    await add('nginx', PORTS.nginx, [
      await start(
        'nginx',
        'nginx',
        [
          '-p',
          folder,
          '-c',
          nginxConfig(
            folder,
            'nginx',
            `upstream o { server 127.0.0.1:${PORTS.origin}; keepalive 512; keepalive_requests 1000000000; } server { listen 127.0.0.1:${PORTS.nginx}; keepalive_requests 1000000000; location / { proxy_pass http://o; proxy_http_version 1.1; proxy_set_header Connection ""; } }`,
          ),
        ],
        PORTS.nginx,
      ),
    ]);
    if (installed('haproxy'))
      await add('haproxy', PORTS.haproxy, [
        await start('haproxy', 'haproxy', ['-db', '-f', haproxyConfig(folder)], PORTS.haproxy),
      ]);
    await add('http-proxy-3 + agent', PORTS.proxy3, [
      await start(
        'proxy3',
        process.execPath,
        [`${here}http-proxy-3.mjs`, JSON.stringify({ port: PORTS.proxy3, upstreamPort: PORTS.origin })],
        'line',
      ),
    ]);
    for (const candidate of candidates) wrk(candidate.port, connections, 4);
    for (let round = 0; round < rounds; round++) {
      for (const candidate of candidates) {
        const before = cpuOf(candidate.pids);
        const requests = wrk(candidate.port, connections, seconds);
        candidate.samples.push((cpuOf(candidate.pids) - before) / 1000 / requests);
      }
    }
    return candidates.map(({ name, samples }) => ({
      name,
      microsPerRequest: median(samples),
      min: Math.min(...samples),
      max: Math.max(...samples),
      samples,
    }));
  } finally {
    for (const child of running) child.kill('SIGTERM');
    rmSync(folder, { recursive: true, force: true });
  }
}

function nginxConfig(folder, name, http) {
  const file = join(folder, `${name}.conf`);
  writeFileSync(
    file,
    `daemon off; master_process off; worker_processes 1; pid ${folder}/${name}.pid; error_log /dev/null; events { worker_connections 4096; } http { access_log off; client_body_temp_path ${folder}/t1; proxy_temp_path ${folder}/t2; fastcgi_temp_path ${folder}/t3; uwsgi_temp_path ${folder}/t4; scgi_temp_path ${folder}/t5; ${http} }\n`,
  );
  return file;
}

function haproxyConfig(folder) {
  const file = join(folder, 'haproxy.cfg');
  writeFileSync(
    file,
    `global\n  nbthread 1\ndefaults\n  mode http\n  timeout client 60s\n  timeout server 60s\n  timeout connect 5s\n  option http-keep-alive\n  http-reuse always\nfrontend f\n  bind 127.0.0.1:${PORTS.haproxy}\n  default_backend b\nbackend b\n  server s 127.0.0.1:${PORTS.origin}\n`,
  );
  return file;
}

function wrk(port, connections, seconds) {
  const output = execFileSync(
    'taskset',
    [
      '-c',
      '1',
      'wrk',
      '-t',
      '1',
      '-c',
      String(connections),
      '-d',
      `${seconds}s`,
      '-H',
      'Host: reviews:9080',
      `http://127.0.0.1:${port}/reviews/0`,
    ],
    { encoding: 'utf8' },
  );
  const failed = /Non-2xx or 3xx responses: (\d+)/.exec(output);
  if (failed) throw new Error(`port ${port}: ${failed[0]}`);
  return Number(/(\d+) requests in/.exec(output)[1]);
}

/** CPU of all threads of processes so far, nanoseconds. */
function cpuOf(pids) {
  return pids.reduce(
    (sum, pid) =>
      sum +
      readdirSync(`/proc/${pid}/task`).reduce(
        (threads, task) => threads + Number(readFileSync(`/proc/${pid}/task/${task}/schedstat`, 'utf8').split(' ')[0]),
        0,
      ),
    0,
  );
}

async function untilAnswers(port) {
  for (let i = 0; i < 200; i++) {
    try {
      await fetch(`http://127.0.0.1:${port}/`);
      return;
    } catch {
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
  }
  throw new Error(`nothing answers on ${port}`);
}

export function installed(command) {
  try {
    execFileSync('which', [command], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
}
