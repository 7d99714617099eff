import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type RequestListener,
} from 'node:http';
import type { AddressInfo } from 'node:net';
import { CLUSTER_DEFAULTS, ENDPOINT_DEFAULTS, type TrafficPolicy } from '../../src/model/cluster.js';
import type { Exchange } from '../../src/model/exchange.js';
import { DEFAULT_SIDECAR_LIMITS, type SidecarLimits } from '../../src/model/limits.js';
import { clusterName, fqdn, TRUST_DOMAIN } from '../../src/model/names.js';
import { NO_PROPAGATION } from '../../src/model/propagation.js';
import type { FieldChanges, ForwardAction, Route, RouteMatch, WeightedCluster } from '../../src/model/route.js';
import type { SidecarConfig, VirtualHost } from '../../src/model/sidecar-config.js';
import { systemClock } from '../../src/platform/clock.js';
import { seededRandom } from '../../src/platform/random.js';
import type { MemoryReading } from '../../src/proxy/listener/overload.js';
import { onOutbound } from '../../src/proxy/outbound-listener.js';
import { listen, Sockets } from '../../src/proxy/servers.js';
import { Sidecar } from '../../src/proxy/sidecar.js';
import { freePort, quiet } from './mesh.js';

export const PORT = 9080;

/** A request that a back end got. */
export interface Hit {
  readonly backend: string;
  readonly method: string;
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface OneSidecarOptions {
  /** Back ends that somebody else runs, by name: the ports of their endpoints on this machine. */
  readonly external?: Readonly<Record<string, number | readonly number[]>>;
  readonly limits?: Partial<SidecarLimits>;
  /** How the endpoints of every cluster are used. */
  readonly traffic?: Partial<TrafficPolicy>;
  readonly memory?: () => MemoryReading;
}

export interface OneSidecar {
  /** Where it listens, and what is open there. */
  readonly port: number;
  readonly sockets: Sockets;
  readonly sidecar: Sidecar;
  readonly hits: Hit[];
  /** Obeys these virtual hosts from now on. */
  apply(virtualHosts: readonly VirtualHost[]): void;
  ask(
    target: string,
    init?: { host?: string; method?: string; headers?: Record<string, string | string[]> },
  ): Promise<Answer>;
  /** What it recorded since the last call. */
  records(): Exchange[];
  close(): void;
}

/**
 * One outbound sidecar in this process, in front of recording back ends, one cluster each: for what a configuration
 * makes of a request, without a mesh around it.
 */
export async function oneSidecar(
  backends: Readonly<Record<string, RequestListener>>,
  options: OneSidecarOptions = {},
): Promise<OneSidecar> {
  const sidecar = new Sidecar({
    clock: systemClock,
    ...(options.memory === undefined ? {} : { memory: options.memory }),
    random: seededRandom(1, 'test'),
    log: quiet,
    workload: 'web-v1',
    edge: false,
    appPort: () => 0,
  });
  const hits: Hit[] = [];
  const servers = await Promise.all(
    Object.entries(backends).map(async ([backend, answer]) => {
      const server = createServer((request: IncomingMessage, response) => {
        hits.push({ backend, method: request.method ?? '', target: request.url ?? '', headers: request.headers });
        answer(request, response as never);
      });
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return { backend, server };
    }),
  );
  const limits = { ...DEFAULT_SIDECAR_LIMITS, ...options.limits };
  const sockets = new Sockets(() => limits.connections);
  const port = await freePort();
  const { server: listener } = await listen('127.0.0.1', port, sockets, (socket) =>
    onOutbound(sidecar.outbound, socket, { address: '10.0.0.9', port: PORT }),
  );
  let version = 0;
  return {
    sidecar,
    sockets,
    port,
    hits,
    apply(virtualHosts) {
      const ports = [
        ...servers.map(({ backend, server }) => [backend, [(server.address() as AddressInfo).port]] as const),
        ...Object.entries(options.external ?? {}),
      ];
      const clusters = ports.map(([backend, backendPort]) => ({
        ...CLUSTER_DEFAULTS,
        ...options.traffic,
        name: cluster(backend),
        service: backend,
        subset: '',
        port: PORT,
        protocol: 'http' as const,
        endpoints: [backendPort].flat().map((endpointPort) => ({
          ...ENDPOINT_DEFAULTS,
          address: '127.0.0.1',
          port: endpointPort,
          workload: `${backend}-v1`,
          version: 'v1',
        })),
      }));
      sidecar.apply({
        ...BASE,
        limits,
        version: ++version,
        outbound: { ...BASE.outbound, virtualHosts, clusters },
      });
    },
    ask(target, { host = 'reviews:9080', method = 'GET', headers = {} } = {}) {
      return new Promise((resolve, reject) => {
        const options = { host: '127.0.0.1', port, path: target, method, agent: false, headers: { ...headers, host } };
        const request = httpRequest(options, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => {
            body += text;
          });
          response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
        });
        request.on('error', reject);
        request.end();
      });
    },
    records: () => sidecar.recorder.take().exchanges,
    close() {
      for (const { server } of servers) {
        server.close();
        server.closeAllConnections();
      }
      listener.close();
      sockets.destroyAll();
    },
  };
}

const BASE: SidecarConfig = {
  version: 0,
  workload: { name: 'web-v1', app: 'web', version: 'v1', spiffeId: '' },
  trustDomain: TRUST_DOMAIN,
  seed: 1,
  role: 'sidecar',
  inbound: { mtls: 'permissive', ports: [], faults: [], rateLimits: [], callers: {} },
  outbound: {
    listeners: [{ service: 'reviews', virtualIp: '240.240.0.1', port: PORT, protocol: 'http' }],
    virtualHosts: [],
    clusters: [],
    faults: [],
    propagation: NO_PROPAGATION,
    unknownHosts: 'registry-only',
  },
  limits: DEFAULT_SIDECAR_LIMITS,
  exchangesPerSecond: 100_000,
};

export function cluster(backend: string): string {
  return clusterName(fqdn(backend), PORT, '');
}

export function host(routes: readonly Route[], domains: readonly string[] = ['reviews']): VirtualHost {
  return { name: domains[0] ?? '', port: PORT, domains, routes };
}

/** A match by prefix and whatever else is said. */
export function on(prefix: string, more: Partial<RouteMatch> = {}): RouteMatch {
  return { path: { kind: 'prefix', value: prefix, ignoreCase: false }, methods: [], fields: [], query: [], ...more };
}

export function to(backend: string, more: Partial<WeightedCluster> = {}): WeightedCluster {
  return { cluster: cluster(backend), weight: 1, requestFields: null, responseFields: null, ...more };
}

export function forward(clusters: readonly WeightedCluster[], more: Partial<ForwardAction> = {}): ForwardAction {
  return {
    kind: 'forward',
    clusters,
    rewrite: null,
    requestFields: null,
    cors: null,
    timeoutMs: null,
    retry: null,
    hash: [],
    mirrors: [],
    ...more,
  };
}

export function rule(
  name: string,
  match: RouteMatch,
  action: Route['action'],
  responseFields: FieldChanges | null = null,
): Route {
  return { name, match, action, responseFields, fault: null };
}

export function changes(more: Partial<FieldChanges>): FieldChanges {
  return { remove: [], set: [], add: [], ...more };
}
