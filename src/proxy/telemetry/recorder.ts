import type { Attempt, Exchange } from '../../model/exchange.js';
import { BUCKETS, bucketOf, toSparse } from '../../model/histogram.js';
import type { AttemptDelta, EdgeDelta } from '../../model/metrics.js';
import type { Incident } from '../../model/timeline.js';
import type { Clock } from '../../platform/clock.js';
import type { ExchangeRecord } from '../pipeline/exchange-record.js';

interface EdgeCount {
  readonly first: ExchangeRecord;
  readonly flags: string;
  readonly latency: Uint32Array;
  requests: number;
  sumMs: number;
  requestBytes: number;
  responseBytes: number;
}

/** Incidents that are kept until they are sent. */
const MOST_INCIDENTS = 1_000;

type AttemptCount = { -readonly [K in keyof AttemptDelta]: AttemptDelta[K] };

/**
 * Counts every exchange and keeps the newest of them until they are sent. Counts are complete; full records are limited
 * per second, with failures and retries first, so that load costs telemetry no more than a fixed amount.
 */
export class Recorder {
  readonly #clock: Clock;
  /** Tells the records of this process from those of one before it. */
  readonly #run: string;
  readonly #edges = new Map<string, EdgeCount>();
  #last: EdgeCount | null = null;
  #lastAttempts: AttemptCount | null = null;
  readonly #attempts = new Map<string, AttemptCount>();
  #exchanges: ExchangeRecord[] = [];
  #incidents: Incident[] = [];
  #dropped = 0;
  #perSecond = 200;
  #allowance = 200;
  #refilledAt = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#run = clock.now().toString(36);
  }

  /** Full records per second that may leave. */
  limit(perSecond: number): void {
    this.#perSecond = perSecond;
  }

  /** Takes a finished record. */
  record(record: ExchangeRecord): void {
    const now = this.#clock.monotonic();
    record.durationMs = now - record.started;
    this.#count(record);
    this.#refill(now);
    const interesting = record.failure !== null || record.attempts.length > 1 || record.status >= 500;
    if (this.#allowance < 1 && !(interesting && this.#allowance > -this.#perSecond)) {
      this.#dropped++;
      return;
    }
    this.#allowance--;
    this.#exchanges.push(record);
  }

  /** Notes something that the sidecar of `reporter` did on its own. */
  happened(reporter: string, event: Omit<Incident, 'at' | 'reporter'>): void {
    if (this.#incidents.length < MOST_INCIDENTS) this.#incidents.push({ ...event, at: this.#clock.now(), reporter });
  }

  /** Takes a finished try. */
  attempt(source: string, service: string, attempt: Attempt): void {
    const count = this.#attemptsTo(source, service, attempt.workload);
    count.attempts++;
    if (attempt.number > 1) count.retries++;
    if (attempt.status >= 500 || attempt.failure !== null) count.failures++;
  }

  #attemptsTo(source: string, service: string, destination: string): AttemptCount {
    const last = this.#lastAttempts;
    if (last !== null && last.destination === destination && last.service === service) return last;
    const key = `${service} ${destination}`;
    let count = this.#attempts.get(key);
    if (count === undefined) {
      count = { source, service, destination, attempts: 0, failures: 0, retries: 0 };
      this.#attempts.set(key, count);
    }
    this.#lastAttempts = count;
    return count;
  }

  /** Everything since the last call. */
  take(): {
    edges: EdgeDelta[];
    attempts: AttemptDelta[];
    exchanges: Exchange[];
    dropped: number;
    incidents: Incident[];
  } {
    const now = this.#clock.now();
    const monotonic = this.#clock.monotonic();
    const taken = {
      edges: [...this.#edges.values()].map(deltaOf),
      attempts: [...this.#attempts.values()],
      exchanges: this.#exchanges.map((record) => record.freeze(now, monotonic, this.#run)),
      dropped: this.#dropped,
      incidents: this.#incidents,
    };
    this.#incidents = [];
    this.#edges.clear();
    this.#last = null;
    this.#attempts.clear();
    this.#lastAttempts = null;
    this.#exchanges = [];
    this.#dropped = 0;
    return taken;
  }

  #count(record: ExchangeRecord): void {
    const count = this.#edgeOf(record);
    count.requests++;
    count.sumMs += record.durationMs;
    count.requestBytes += record.requestBytes;
    count.responseBytes += record.responseBytes;
    const bucket = bucketOf(record.durationMs);
    count.latency[bucket] = (count.latency[bucket] as number) + 1;
  }

  /** The edge that was counted last is asked first: mostly it is the same, and then no key is made. */
  #edgeOf(record: ExchangeRecord): EdgeCount {
    if (this.#last !== null && sameEdge(this.#last.first, record)) return this.#last;
    const flags = record.flags.length === 0 ? '-' : record.flags.join(',');
    const key = `${record.direction[0]}${record.status} ${flags} ${record.source} ${record.service} ${record.destination} ${record.security.mode}`;
    let count = this.#edges.get(key);
    if (count === undefined) {
      count = {
        first: record,
        flags,
        latency: new Uint32Array(BUCKETS),
        requests: 0,
        sumMs: 0,
        requestBytes: 0,
        responseBytes: 0,
      };
      this.#edges.set(key, count);
    }
    this.#last = count;
    return count;
  }

  #refill(now: number): void {
    const gained = ((now - this.#refilledAt) / 1000) * this.#perSecond;
    if (gained < 1) return;
    this.#refilledAt = now;
    this.#allowance = Math.min(this.#perSecond, this.#allowance + gained);
  }
}

function sameEdge(a: ExchangeRecord, b: ExchangeRecord): boolean {
  return (
    a.status === b.status &&
    a.flags.length === 0 &&
    b.flags.length === 0 &&
    a.destination === b.destination &&
    a.service === b.service &&
    a.source === b.source &&
    a.direction === b.direction &&
    a.security.mode === b.security.mode
  );
}

function deltaOf(count: EdgeCount): EdgeDelta {
  const record = count.first;
  return {
    direction: record.direction,
    source: record.source,
    sourcePrincipal: record.sourcePrincipal,
    service: record.service,
    destination: record.destination,
    destinationPrincipal: record.destinationPrincipal,
    code: record.status,
    flags: count.flags,
    security: record.security.mode === 'mtls' ? 'mutual_tls' : 'none',
    protocol: record.kind,
    requests: count.requests,
    latency: toSparse(count.latency),
    sumMs: count.sumMs,
    requestBytes: count.requestBytes,
    responseBytes: count.responseBytes,
  };
}
