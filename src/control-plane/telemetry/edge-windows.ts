import { addSparse, BUCKETS, quantile } from '../../model/histogram.js';
import type { AttemptDelta, EdgeDelta, EdgeStats } from '../../model/metrics.js';
import type { Clock } from '../../platform/clock.js';

/** Live figures cover this much of the past, ms, in slots of one second. */
const WINDOW_MS = 10_000;
const SLOT_MS = 1_000;

interface Slot {
  readonly at: number;
  readonly latency: Uint32Array;
  requests: number;
  failures: number;
  mtls: number;
  /** Requests that crossed in plaintext; those that never reached the other side are neither. */
  plain: number;
  attempts: number;
  attemptFailures: number;
  retries: number;
}

interface Edge {
  readonly source: string;
  readonly service: string;
  readonly destination: string;
  protocol: 'http' | 'tcp';
  slots: Slot[];
  lastSeen: number;
}

/** Figures per caller and callee over a sliding window, from the counts that callers' sidecars report. */
export class EdgeWindows {
  readonly #clock: Clock;
  readonly #edges = new Map<string, Edge>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(edges: readonly EdgeDelta[], attempts: readonly AttemptDelta[]): void {
    for (const delta of edges) if (isCall(delta)) this.#addRequests(delta);
    for (const delta of attempts) this.#addAttempts(delta);
  }

  stats(): EdgeStats[] {
    const now = this.#clock.now();
    return [...this.#edges.values()].map((edge) => statsOf(edge, now));
  }

  #addRequests(delta: EdgeDelta): void {
    const edge = this.#edge(delta.source, delta.service, delta.destination);
    const slot = this.#slot(edge);
    edge.protocol = delta.protocol;
    edge.lastSeen = this.#clock.now();
    slot.requests += delta.requests;
    if (delta.protocol === 'http' && (delta.code >= 500 || delta.code === 0)) slot.failures += delta.requests;
    if (delta.security === 'mutual_tls') slot.mtls += delta.requests;
    else if (!/U[FHO]|N[RC]/.test(delta.flags)) slot.plain += delta.requests;
    addSparse(slot.latency, delta.latency);
  }

  #addAttempts(delta: AttemptDelta): void {
    const slot = this.#slot(this.#edge(delta.source, delta.service, delta.destination));
    slot.attempts += delta.attempts;
    slot.attemptFailures += delta.failures;
    slot.retries += delta.retries;
  }

  #edge(source: string, service: string, destination: string): Edge {
    const key = `${source} ${service} ${destination}`;
    let edge = this.#edges.get(key);
    if (edge === undefined) {
      edge = { source, service, destination, protocol: 'http', slots: [], lastSeen: this.#clock.now() };
      this.#edges.set(key, edge);
    }
    return edge;
  }

  #slot(edge: Edge): Slot {
    const at = Math.floor(this.#clock.now() / SLOT_MS) * SLOT_MS;
    const newest = edge.slots[edge.slots.length - 1];
    if (newest !== undefined && newest.at === at) return newest;
    const slot: Slot = {
      at,
      latency: new Uint32Array(BUCKETS),
      requests: 0,
      failures: 0,
      mtls: 0,
      plain: 0,
      attempts: 0,
      attemptFailures: 0,
      retries: 0,
    };
    edge.slots = [...edge.slots.filter((old) => old.at > at - WINDOW_MS), slot];
    return slot;
  }
}

/**
 * Each request is counted by its caller's sidecar; the callee's view counts only where the caller has none. What the gateway
 * answers itself is no call of a service.
 */
function isCall(delta: EdgeDelta): boolean {
  if (delta.service === '') return false;
  return delta.direction !== 'inbound' || delta.source === 'unknown';
}

function statsOf(edge: Edge, now: number): EdgeStats {
  const slots = edge.slots.filter(({ at }) => at > now - WINDOW_MS);
  const latency = new Uint32Array(BUCKETS);
  const sum = { requests: 0, failures: 0, mtls: 0, plain: 0, attempts: 0, attemptFailures: 0, retries: 0 };
  for (const slot of slots) {
    for (const name of Object.keys(sum) as (keyof typeof sum)[]) sum[name] += slot[name];
    for (let i = 0; i < BUCKETS; i++) latency[i] = (latency[i] as number) + (slot.latency[i] as number);
  }
  const seconds = Math.min(WINDOW_MS, Math.max(SLOT_MS, now - (slots[0]?.at ?? now))) / 1000;
  return {
    source: edge.source,
    service: edge.service,
    destination: edge.destination,
    rps: sum.requests / seconds,
    successRate: share(sum.requests - sum.failures, sum.requests),
    attemptsPerSecond: sum.attempts / seconds,
    attemptSuccessRate: share(sum.attempts - sum.attemptFailures, sum.attempts),
    retriesPerSecond: sum.retries / seconds,
    p50Ms: quantile(latency, 0.5),
    p95Ms: quantile(latency, 0.95),
    p99Ms: quantile(latency, 0.99),
    mtlsShare: share(sum.mtls, sum.mtls + sum.plain),
    protocol: edge.protocol,
    lastSeen: edge.lastSeen,
  };
}

function share(part: number, whole: number): number | null {
  return whole === 0 ? null : part / whole;
}
