import type { Attempt, Exchange } from '../../../src/model/exchange.js';
import type {
  EdgeStats,
  Explanation,
  FaultView,
  MeshEvent,
  Notice,
  Status,
  WorkloadView,
} from '../../../src/protocol/api-types.js';

/** The instant of every sample: 2026-01-02 03:04:05 UTC. */
export const NOW = Date.UTC(2026, 0, 2, 3, 4, 5);

export function status(overrides: Partial<Status> = {}): Status {
  return {
    sandbox: { id: 'bookinfo-1', name: 'bookinfo' },
    app: 'bookinfo',
    runtime: 'local',
    gatewayUrl: 'http://127.0.0.1:8080',
    version: 7,
    seed: 1,
    flavor: 'istio',
    startedAt: NOW - 60_000,
    ready: true,
    workloads: { total: 7, ready: 7 },
    features: { mtls: 'permissive', retries: true },
    load: { rps: 5, paths: ['/productpage'], sent: 300, ok: 298, failed: 2, missed: 0 },
    ...overrides,
  };
}

export function workloadView(name: string, overrides: Partial<WorkloadView> = {}): WorkloadView {
  const [app = name, version = 'v1'] = name.split(/-(?=v\d)/);
  return {
    name,
    app,
    version,
    role: 'sidecar',
    spiffeId: `spiffe://cluster.local/ns/default/sa/${app}`,
    dnsNames: [],
    address: '127.0.0.1',
    sidecar: 'connected',
    appReady: true,
    ackedVersion: 7,
    wantedVersion: 7,
    nack: null,
    certificate: { notBefore: NOW - 60_000, notAfter: NOW + 3_540_000, serial: '4f1c' },
    restarts: { sidecar: 0, app: 0 },
    usage: {
      sidecar: { part: `${name}/sidecar`, cpu: 0.034, memoryBytes: 52 * 1024 * 1024 },
      app: { part: `${name}/app`, cpu: 0.011, memoryBytes: 61 * 1024 * 1024 },
    },
    cpuMicrosPerRequest: 412,
    listenPorts: { inbound: 15006 },
    ...overrides,
  };
}

export function edge(source: string, destination: string, overrides: Partial<EdgeStats> = {}): EdgeStats {
  return {
    source,
    service: destination.split(/-(?=v\d)/)[0] ?? destination,
    destination,
    rps: 5,
    successRate: 1,
    attemptsPerSecond: 5,
    attemptSuccessRate: 1,
    retriesPerSecond: 0,
    p50Ms: 3.2,
    p95Ms: 8.9,
    p99Ms: 14,
    mtlsShare: 1,
    protocol: 'http',
    lastSeen: NOW,
    ...overrides,
  };
}

export function attempt(number: number, overrides: Partial<Attempt> = {}): Attempt {
  return {
    number,
    endpoint: '10.0.0.3:9080',
    workload: 'reviews-v2',
    startedMs: number,
    durationMs: 2.4,
    status: 200,
    failure: null,
    next: '',
    reusedConnection: true,
    ...overrides,
  };
}

export function exchange(counter: number, overrides: Partial<Exchange> = {}): Exchange {
  return {
    considered: [],
    id: `gateway/${counter}`,
    kind: 'http',
    requestId: `req-${counter}`,
    traceId: `trace-${counter}`,
    spanId: `span-${counter}`,
    parentSpanId: '',
    reporter: { workload: 'gateway', direction: 'gateway' },
    source: { workload: 'unknown', principal: '' },
    destination: { workload: 'productpage-v1', principal: '', service: 'productpage', port: 9080 },
    startedAt: NOW - 10_000 + counter * 1000,
    durationMs: 12.5,
    request: { method: 'GET', path: '/productpage', host: '127.0.0.1:8080', bytes: 0 },
    response: { status: 200, bytes: 4000 },
    failure: null,
    flags: [],
    details: 'via_upstream',
    decisions: [],
    attempts: [attempt(1, { workload: 'productpage-v1' })],
    security: { mode: 'mtls', peer: '', tlsVersion: 'TLSv1.3', cipher: 'TLS_AES_128_GCM_SHA256' },
    timings: { queueMs: 0, connectMs: 0, handshakeMs: 0, upstreamMs: 12, bodyMs: 0.2, ownMs: 0.3 },
    version: 7,
    ...overrides,
  };
}

export function fault(name: string, overrides: Partial<FaultView> = {}): FaultView {
  return {
    name,
    to: 'reviews-v2',
    match: { from: null, headers: {}, path: null },
    action: { connection: null, delay: null, end: { kind: 'abort', status: 503 }, answer: null },
    percent: 50,
    first: null,
    every: null,
    until: null,
    enabled: true,
    hits: 42,
    active: true,
    ...overrides,
  };
}

export const RETRIED = exchange(3, {
  request: { method: 'GET', path: '/api/v1/products/0/reviews/with/a/very/long/path?page=12', host: 'x', bytes: 0 },
  flags: ['UF'],
  attempts: [
    attempt(1, { status: 503, next: 'retried after 25 ms: 503 is in retry_on' }),
    attempt(2, { status: 0, failure: 'connect_failure', next: 'retried after 31 ms: connect-failure' }),
    attempt(3),
  ],
});

export const FAILED = exchange(4, {
  response: { status: 503, bytes: 91 },
  failure: 'connect_failure',
  flags: ['URX', 'UF'],
  attempts: [attempt(1, { status: 0, failure: 'connect_failure', next: 'no more tries: 1 of 1 used' })],
  security: { mode: 'plain', peer: '', tlsVersion: '', cipher: '' },
});

/** The hop below {@link RETRIED}. */
export const INNER = exchange(30, {
  id: 'productpage-v1/1',
  requestId: RETRIED.requestId,
  spanId: 'span-inner',
  parentSpanId: RETRIED.spanId,
  reporter: { workload: 'productpage-v1', direction: 'outbound' },
  source: { workload: 'productpage-v1', principal: '' },
  destination: { workload: 'reviews-v2', principal: '', service: 'reviews', port: 9080 },
  startedAt: RETRIED.startedAt + 1,
});

export const EXPLANATION: Explanation = {
  requestId: RETRIED.requestId,
  summary: 'GET /productpage was answered 200 after 12.5 ms',
  steps: [
    { depth: 0, workload: 'gateway', text: 'route default sends it to productpage', outcome: 'ok' },
    { depth: 1, workload: 'productpage-v1', text: 'try 1 at reviews-v2 was answered 503', outcome: 'warning' },
    { depth: 1, workload: 'productpage-v1', text: 'try 3 at reviews-v2 was answered 200', outcome: 'ok' },
  ],
  blame: 'injected',
  verdict: 'fault f1 answered in the place of reviews-v2',
};

const NOTICES: readonly Notice[] = [
  { at: NOW - 30_000, level: 'info', text: 'sandbox bookinfo is ready' },
  { at: NOW - 20_000, level: 'warning', text: 'the sidecar of reviews-v3 died and came back' },
  { at: NOW - 10_000, level: 'error', text: 'the app of ratings-v1 gave up after five restarts' },
];

/** Everything a control plane would have told about a small Bookinfo by now. */
export const SAMPLE_EVENTS: readonly MeshEvent[] = [
  { type: 'status', status: status() },
  {
    type: 'workloads',
    workloads: [
      workloadView('gateway', { role: 'gateway', usage: { sidecar: null, app: null } }),
      workloadView('productpage-v1'),
      workloadView('details-v1', { certificate: null }),
      workloadView('reviews-v1', { ackedVersion: 6 }),
      workloadView('reviews-v2'),
      workloadView('reviews-v3', { sidecar: 'disconnected', restarts: { sidecar: 2, app: 0 } }),
      workloadView('ratings-v1', { nack: 'port 9080 is taken', wantedVersion: 8, appReady: false }),
    ],
  },
  {
    type: 'edges',
    edges: [
      edge('gateway', 'productpage-v1'),
      edge('productpage-v1', 'details-v1', { mtlsShare: 0 }),
      edge('productpage-v1', 'reviews-v1', { rps: 1.7 }),
      edge('productpage-v1', 'reviews-v2', {
        rps: 1.6,
        successRate: 0.984,
        attemptSuccessRate: 0.52,
        attemptsPerSecond: 3.2,
        retriesPerSecond: 1.6,
        mtlsShare: 0.86,
      }),
      edge('reviews-v2', 'ratings-v1', { successRate: 0.8, p99Ms: 10_013 }),
    ],
  },
  {
    type: 'faults',
    faults: [fault('f1'), fault('f2', { to: 'ratings', enabled: false, percent: 100, first: 3, hits: 3 })],
  },
  { type: 'exchanges', exchanges: [exchange(1), exchange(2), INNER, RETRIED, FAILED], dropped: 0 },
  ...NOTICES.map((notice): MeshEvent => ({ type: 'notice', notice })),
];
