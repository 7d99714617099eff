import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, request as httpRequest, type IncomingMessage, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Cluster } from '../../src/model/cluster.js';
import { DEFAULT_SIDECAR_LIMITS } from '../../src/model/limits.js';
import { TRUST_DOMAIN } from '../../src/model/names.js';
import { NO_PROPAGATION } from '../../src/model/propagation.js';
import type { SidecarConfig, VirtualHost } from '../../src/model/sidecar-config.js';
import { systemClock } from '../../src/platform/clock.js';
import { seededRandom } from '../../src/platform/random.js';
import { onOutbound } from '../../src/proxy/outbound-listener.js';
import { listen, Sockets } from '../../src/proxy/servers.js';
import { Sidecar } from '../../src/proxy/sidecar.js';
import { freePort, quiet } from '../support/mesh.js';
import { bootstrapOf } from './translate.js';

export const PORT = 9080;

/** One request of a case, as it is sent to both proxies. */
export interface Ask {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly headers: readonly (readonly [name: string, value: string])[];
  readonly body: string;
  /** What back ends answer, one try after the other; the last one again and again. */
  readonly script: readonly Step[];
  /** Hits to wait for after the answer: copies come when they come. */
  readonly hits: number;
}

/** A status, with fields if there are any; no answer; an answer that comes late. */
export type Step =
  | number
  | 'reset'
  | 'hang'
  | { readonly status: number; readonly fields: Record<string, string>; readonly delayMs?: number };

/** What a caller got and what back ends saw of it, without what is the proxies' own business. */
export interface Seen {
  /** 0 = closed without an answer. */
  readonly status: number;
  readonly fields: Readonly<Record<string, readonly string[]>>;
  /** Back end whose answer it is; '' = the proxy's own. */
  readonly from: string;
  /** Of the proxy's own answers. */
  readonly body: string;
  readonly hits: readonly Hit[];
}

export interface Hit {
  readonly backend: string;
  readonly method: string;
  readonly target: string;
  readonly host: string;
  readonly fields: Readonly<Record<string, readonly string[]>>;
  readonly body: string;
}

/** Both proxies before the same back ends, all obeying one configuration. */
export interface Stage {
  ask(side: Side, ask: Ask): Promise<Seen>;
  close(): Promise<void>;
}

export type Side = 'ours' | 'envoy';

/** Recording back ends, a connection for each request: a reused one that breaks is repeated by us. Clusters are made of their ports. */
export interface Backends {
  readonly ports: readonly number[];
  count(run: string): number;
  take(run: string): Hit[];
  close(): void;
}

const SEEN_REQUEST = /^x-c-|^x-envoy-original-|^x-envoy-attempt-count$|^x-envoy-expected-rq-timeout-ms$/;
const SEEN_RESPONSE = /^x-c-|^location$|^access-control-|^x-envoy-overloaded$|^grpc-/;

export async function startBackends(count: number): Promise<Backends> {
  const hits = new Map<string, Hit[]>();
  const tries = new Map<string, number>();
  const servers: Server[] = [];
  const ports: number[] = [];
  for (let i = 0; i < count; i++) {
    const server = createServer((request, response) => {
      let body = '';
      request.setEncoding('latin1').on('data', (text: string) => {
        body += text;
      });
      request.on('error', () => {});
      request.on('end', () => {
        const run = String(request.headers['x-run'] ?? '');
        const hit = { backend: `b${i}`, ...requestOf(request), body };
        hits.set(run, [...(hits.get(run) ?? []), hit]);
        const script = JSON.parse(String(request.headers['x-script'] ?? '[200]')) as Step[];
        const nth = tries.get(run) ?? 0;
        tries.set(run, nth + 1);
        const step = script[Math.min(nth, script.length - 1)] ?? 200;
        if (step === 'hang') return;
        if (step === 'reset') return void request.socket.resetAndDestroy();
        const { status, fields, delayMs = 0 } = typeof step === 'number' ? { status: step, fields: {} } : step;
        const answer = (): void =>
          void response.writeHead(status, { 'x-backend': `b${i}`, connection: 'close', ...fields }).end(`b${i}`);
        if (delayMs > 0) setTimeout(answer, delayMs);
        else answer();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    servers.push(server);
    ports.push((server.address() as AddressInfo).port);
  }
  return {
    ports,
    count: (run) => hits.get(run)?.length ?? 0,
    take(run) {
      const found = hits.get(run) ?? [];
      hits.delete(run);
      return found;
    },
    close() {
      for (const server of servers) {
        server.close();
        server.closeAllConnections();
      }
    },
  };
}

function requestOf(request: IncomingMessage): Omit<Hit, 'backend' | 'body'> {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    host: request.headers.host ?? '',
    fields: linesOf(request.rawHeaders, SEEN_REQUEST),
  };
}

/** Lines per name, in their order, of the fields that are compared. */
function linesOf(raw: readonly string[], wanted: RegExp): Record<string, string[]> {
  const lines: Record<string, string[]> = {};
  for (let i = 0; i < raw.length; i += 2) {
    const name = (raw[i] as string).toLowerCase();
    if (wanted.test(name)) lines[name] = [...(lines[name] ?? []), raw[i + 1] as string];
  }
  return Object.fromEntries(Object.entries(lines).sort(([a], [b]) => (a < b ? -1 : 1)));
}

let runs = 0;

export async function startStage(
  envoy: string,
  backends: Backends,
  virtualHosts: readonly VirtualHost[],
  clusters: readonly Cluster[],
): Promise<Stage> {
  const ours = await startOurs(virtualHosts, clusters);
  const theirs = await startEnvoy(envoy, virtualHosts, clusters);
  return {
    async ask(side, ask) {
      const run = `${side}-${++runs}`;
      const port = side === 'ours' ? ours.port : theirs.port;
      const answer = await send(port, run, ask);
      for (let i = 0; i < 200 && backends.count(run) < ask.hits; i++)
        await new Promise((resolve) => setTimeout(resolve, 5));
      return { ...answer, hits: backends.take(run) };
    },
    async close() {
      ours.close();
      await theirs.close();
    },
  };
}

async function startOurs(
  virtualHosts: readonly VirtualHost[],
  clusters: readonly Cluster[],
): Promise<{ port: number; close(): void }> {
  const sidecar = new Sidecar({
    clock: systemClock,
    random: seededRandom(1, 'envoy'),
    log: quiet,
    workload: 'web-v1',
    edge: false,
    appPort: () => 0,
  });
  const config: SidecarConfig = {
    version: 1,
    workload: { name: 'web-v1', app: 'web', version: 'v1', spiffeId: '' },
    trustDomain: TRUST_DOMAIN,
    seed: 1,
    role: 'sidecar',
    inbound: { mtls: 'permissive', ports: [], faults: [], rateLimits: [], callers: {} },
    outbound: {
      listeners: [{ service: 'any', virtualIp: '240.240.0.1', port: PORT, protocol: 'http' }],
      virtualHosts,
      clusters,
      faults: [],
      propagation: NO_PROPAGATION,
      unknownHosts: 'allow-any',
    },
    limits: { ...DEFAULT_SIDECAR_LIMITS, connections: 10_000 },
    exchangesPerSecond: 1,
  };
  sidecar.apply(config);
  const sockets = new Sockets(() => 10_000);
  const port = await freePort();
  // 240.240.0.9 is nobody's: a host that no virtual host has is answered 404, as by a listener of Envoy's.
  const { server } = await listen('127.0.0.1', port, sockets, (socket) =>
    onOutbound(sidecar.outbound, socket, { address: '240.240.0.1', port: PORT }),
  );
  return {
    port,
    close() {
      server.close();
      sockets.destroyAll();
      sidecar.close();
    },
  };
}

async function startEnvoy(
  binary: string,
  virtualHosts: readonly VirtualHost[],
  clusters: readonly Cluster[],
): Promise<{ port: number; close(): Promise<void> }> {
  const folder = mkdtempSync(join(tmpdir(), 'mesh-envoy-'));
  const [port, adminPort] = await Promise.all([freePort(), freePort()]);
  const file = join(folder, 'envoy.json');
  writeFileSync(file, JSON.stringify(bootstrapOf({ port, adminPort, virtualHosts, clusters })));
  const child = spawn(binary, ['-c', file, '--concurrency', '1', '--log-level', 'error', '--use-dynamic-base-id'], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let errors = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-4_000);
  });
  await untilReady(child, adminPort, () => errors);
  return {
    port,
    close() {
      const gone = new Promise<void>((resolve) => child.once('exit', () => resolve()));
      child.kill('SIGKILL');
      return gone.then(() => rmSync(folder, { recursive: true, force: true }));
    },
  };
}

async function untilReady(child: ChildProcess, adminPort: number, errors: () => string): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    if (child.exitCode !== null) throw new Error(`Envoy ended: ${errors()}`);
    const ready = await fetch(`http://127.0.0.1:${adminPort}/ready`).then(
      (response) => response.ok,
      () => false,
    );
    if (ready) return;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`Envoy is not ready: ${errors()}`);
}

/** A caller that gives up is an answer too: nobody may wait for ever. */
const PATIENCE_MS = 10_000;

function send(port: number, run: string, ask: Ask): Promise<Omit<Seen, 'hits'>> {
  const headers = [
    ['host', ask.host],
    ['x-run', run],
    ['x-script', JSON.stringify(ask.script)],
    ...(ask.body === '' ? [] : [['content-length', String(ask.body.length)]]),
    ...ask.headers,
  ].flat() as string[];
  return new Promise((resolve) => {
    const options = {
      host: '127.0.0.1',
      port,
      path: ask.target,
      method: ask.method,
      agent: false,
      headers: headers as never,
    };
    const request = httpRequest({ ...options, timeout: PATIENCE_MS }, (response) => {
      let body = '';
      response.setEncoding('latin1').on('data', (text: string) => {
        body += text;
      });
      const done = (): void => {
        const from = String(response.headers['x-backend'] ?? '');
        const fields = linesOf(response.rawHeaders, SEEN_RESPONSE);
        resolve({ status: response.statusCode ?? 0, fields, from, body: from === '' ? body : '' });
      };
      response.on('end', done);
      response.on('error', done);
    });
    const none = (): void => resolve({ status: 0, fields: {}, from: '', body: '' });
    request.on('error', none);
    request.on('timeout', () => request.destroy());
    request.end(ask.body);
  });
}
