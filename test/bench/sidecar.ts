import { CLUSTER_DEFAULTS, type Cluster, ENDPOINT_DEFAULTS, OUTLIER_DEFAULTS } from '../../src/model/cluster.js';
import { DEFAULT_SIDECAR_LIMITS } from '../../src/model/limits.js';
import { TRUST_DOMAIN } from '../../src/model/names.js';
import { NO_PROPAGATION } from '../../src/model/propagation.js';
import type { FieldMatch, Route } from '../../src/model/route.js';
import type { SidecarConfig } from '../../src/model/sidecar-config.js';
import { systemClock } from '../../src/platform/clock.js';
import { seededRandom } from '../../src/platform/random.js';
import { onExplicitOutbound } from '../../src/proxy/outbound-listener.js';
import { listen, Sockets } from '../../src/proxy/servers.js';
import { Sidecar } from '../../src/proxy/sidecar.js';

/**
 * A sidecar for measuring, without a control plane: outbound role on one port, or inbound role, with every feature of a
 * sandbox armed (ten routes, retry policy, timeout, trace headers, records, counts). Told by one JSON argument.
 */
interface BenchOptions {
  readonly role: 'outbound' | 'inbound';
  readonly port: number;
  readonly upstreamPort: number;
  /** PEM files for mutual TLS between two of these; null = plaintext. */
  readonly tls: {
    readonly key: string;
    readonly certificate: string;
    readonly ca: string;
    /** Of both sides: they are replicas of one service. */
    readonly spiffeId: string;
  } | null;
  /** Overall deadline of a request; 15 s when nothing is said, null = none. */
  readonly timeoutMs?: number | null;
  /** Armed on the inbound side. */
  readonly faults: SidecarConfig['inbound']['faults'];
}

const options = JSON.parse(process.argv[2] ?? '{}') as BenchOptions;
const clock = systemClock;
const log = { debug: () => {}, info: () => {}, warn: () => {}, error: console.error };
const sidecar = new Sidecar({
  clock,
  random: seededRandom(1, 'bench'),
  log,
  workload: 'web-v1',
  edge: false,
  appPort: () => options.upstreamPort,
});

const cluster: Cluster = {
  ...CLUSTER_DEFAULTS,
  ejection: OUTLIER_DEFAULTS,
  retryBudget: { kind: 'concurrent', percent: 20, minimum: 3 },
  name: 'outbound|9080||reviews.default.svc.cluster.local',
  service: 'reviews',
  subset: '',
  port: 9080,
  protocol: 'http',
  connectTimeoutMs: 10_000,
  tls: options.tls === null ? null : { spiffeIds: [options.tls.spiffeId] },
  endpoints: [
    { ...ENDPOINT_DEFAULTS, address: '127.0.0.1', port: options.upstreamPort, workload: 'reviews-v1', version: 'v1' },
  ],
};

const route = (name: string, prefix: string, fields: readonly FieldMatch[]): Route => ({
  name,
  match: { path: { kind: 'prefix', value: prefix, ignoreCase: false }, methods: [], fields, query: [] },
  action: {
    kind: 'forward',
    clusters: [{ cluster: cluster.name, weight: 100, requestFields: null, responseFields: null }],
    rewrite: null,
    requestFields: null,
    cors: null,
    timeoutMs: options.timeoutMs === undefined ? 15_000 : options.timeoutMs,
    retry: {
      attempts: 2,
      retryOn: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', 'retriable-status-codes'],
      retriableStatusCodes: [503],
      retriableHeaders: [],
      perTryTimeoutMs: null,
      retryAfterMaxMs: null,
      avoidTriedHosts: true,
      nonIdempotent: 'never',
      backoffBaseMs: 25,
      backoffMaxMs: 250,
      origin: 'bench',
    },
    hash: [],
    mirrors: [],
  },
  responseFields: null,
  fault: null,
});
const user = (value: string): FieldMatch => ({
  name: 'end-user',
  kind: 'exact',
  value,
  invert: false,
  missingAsEmpty: false,
});

const config: SidecarConfig = {
  version: 1,
  workload: { name: 'web-v1', app: 'web', version: 'v1', spiffeId: options.tls?.spiffeId ?? '' },
  trustDomain: TRUST_DOMAIN,
  seed: 1,
  role: 'sidecar',
  inbound: { mtls: 'permissive', ports: [{ port: 9080, protocol: 'http' }], faults: [], rateLimits: [], callers: {} },
  outbound: {
    listeners: [{ service: 'reviews', virtualIp: '240.240.0.1', port: 9080, protocol: 'http' }],
    virtualHosts: [
      {
        name: 'reviews',
        port: 9080,
        domains: ['reviews'],
        routes: [
          ...Array.from({ length: 9 }, (_, i) => route(`r${i}`, `/api/v${i}`, [user(`u${i}`)])),
          route('default', '/', []),
        ],
      },
    ],
    clusters: [cluster],
    faults: [],
    propagation: NO_PROPAGATION,
    unknownHosts: 'allow-any',
  },
  limits: DEFAULT_SIDECAR_LIMITS,
  exchangesPerSecond: 100,
};

if (options.tls !== null) {
  sidecar.identity.use({
    key: options.tls.key,
    certificate: options.tls.certificate,
    trustBundle: options.tls.ca,
    spiffeId: options.tls.spiffeId,
    notAfter: Number.MAX_SAFE_INTEGER,
  });
}
const callers = options.tls === null ? {} : { [options.tls.spiffeId]: { app: 'reviews', workloads: ['reviews-v1'] } };
const mtls = options.tls === null ? 'permissive' : 'strict';
sidecar.apply({ ...config, inbound: { ...config.inbound, mtls, callers, faults: options.faults } });
const sockets = new Sockets(() => DEFAULT_SIDECAR_LIMITS.connections);
await listen('127.0.0.1', options.port, sockets, (socket) => {
  if (options.role === 'outbound') onExplicitOutbound(sidecar.outbound, socket, 'reviews', 9080);
  else sidecar.inbound.accept(socket, 9080);
});
// As in a sandbox: counts and records are taken and serialised four times a second.
const flush = (): void => {
  clock.after(250, flush);
  JSON.stringify(sidecar.recorder.take());
};
flush();
// Asked for its memory without garbage (`node --expose-gc`), it tells the live heap in bytes.
process.on('SIGUSR2', () => {
  (globalThis as { gc?: () => void }).gc?.();
  process.stdout.write(`${process.memoryUsage().heapUsed}\n`);
});
// An orderly end, so that a profile is written.
process.on('SIGTERM', () => process.exit(0));
process.stdout.write('ready\n');
