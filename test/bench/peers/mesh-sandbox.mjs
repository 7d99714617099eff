// Our own sidecar, with every feature of a sandbox armed (see ../sidecar.ts).
import { join } from 'node:path';
import { build } from 'esbuild';
import { SPIFFE_ID } from '../certificates.mjs';

/** As both runtimes start it. */
const FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=96'];

/** A fault that no request of the bench meets: what it costs to be asked. */
const FAULT = {
  name: 'f1',
  to: 'reviews',
  match: { from: null, headers: { 'x-sick': 'yes' }, path: null },
  action: { connection: null, delay: null, end: { kind: 'abort', status: 503 }, answer: null },
  percent: 100,
  first: null,
  every: null,
  until: null,
  enabled: true,
};

export const NAME = 'mesh-sandbox';

export function find() {
  return { version: `Node.js ${process.version}` };
}

/** One sidecar, plaintext on both sides, as the caller's; `told` is more for it (see BenchOptions in ../sidecar.ts). */
export async function plain(stage, _found, { origin, flags = [], ...told }) {
  const { port, child } = await start(stage, { role: 'outbound', upstreamPort: origin, tls: null, ...told }, flags);
  return { port, pids: [child.pid], children: [child] };
}

/** The caller's sidecar and the callee's, mutual TLS between them. */
export async function pair(stage, _found, { origin, certificates, flags = [] }) {
  const tls = { ...certificates.pem, spiffeId: SPIFFE_ID };
  const server = await start(stage, { role: 'inbound', upstreamPort: origin, tls }, flags);
  const client = await start(stage, { role: 'outbound', upstreamPort: server.port, tls }, flags);
  const children = [client.child, server.child];
  return { port: client.port, pids: children.map(({ pid }) => pid), children };
}

async function start(stage, options, flags) {
  const file = await bundle(stage);
  const port = await stage.port();
  const name = `mesh-sandbox-${options.role}-${port}`;
  // The key of the pair is a toy's: it lives as long as this run and protects nothing.
  const told = JSON.stringify({ ...options, port, faults: [FAULT] });
  const child = await stage.start({
    name,
    command: process.execPath,
    args: [...FLAGS, ...flags, file, told],
    ready: 'line',
  });
  return { port, child };
}

/** One file, as in the container. */
async function bundle(stage) {
  const outfile = join(stage.folder, 'sidecar.mjs');
  await build({
    entryPoints: [new URL('../sidecar.ts', import.meta.url).pathname],
    outfile,
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    external: ['koffi', 'pino'],
    // For profiles: where in the sources a frame is.
    sourcemap: 'external',
    logLevel: 'error',
    banner: { js: "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);" },
  });
  return outfile;
}
