import type { Exchange } from '../../model/exchange.js';
import type { Clock } from '../../platform/clock.js';
import type { ExchangeFilter, Trace } from '../../protocol/api-types.js';

/** Newest records that are kept. */
const CAPACITY = 20_000;
/** Sidecars report every 250 ms: after twice that a request is known whole. */
const SETTLE_MS = 500;
const DEFAULT_LIMIT = 100;
const MAX_LIMIT = 5_000;

/** The newest exchanges of all sidecars, found by filter or by request id. */
export class ExchangeStore {
  #exchanges: Exchange[] = [];
  readonly #byRequest = new Map<string, Exchange[]>();
  /** Requests that entered the mesh, newest last, with when we heard of them (monotonic ms). */
  #entries: { readonly id: string; readonly heardAt: number }[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(exchanges: readonly Exchange[]): void {
    for (const exchange of exchanges) {
      this.#exchanges.push(exchange);
      if (exchange.requestId === '') continue;
      const group = this.#byRequest.get(exchange.requestId);
      if (group === undefined) this.#byRequest.set(exchange.requestId, [exchange]);
      else group.push(exchange);
      if (exchange.parentSpanId === '' || exchange.reporter.direction === 'gateway') {
        this.#entries.push({ id: exchange.requestId, heardAt: this.#clock.monotonic() });
      }
    }
    if (this.#exchanges.length > CAPACITY * 1.25) this.#trim();
  }

  find(filter: ExchangeFilter): Exchange[] {
    const limit = Math.min(filter.limit ?? DEFAULT_LIMIT, MAX_LIMIT);
    const found: Exchange[] = [];
    for (let i = this.#exchanges.length - 1; i >= 0 && found.length < limit; i--) {
      const exchange = this.#exchanges[i] as Exchange;
      if (fits(exchange, filter)) found.push(exchange);
    }
    return found.reverse();
  }

  /** All hops of a request id, or of a trace id; null when nothing of it is kept. */
  trace(id: string): Trace | null {
    const wanted = id === 'last' ? this.#last() : id;
    const hops = this.#byRequest.get(wanted) ?? this.#exchanges.filter(({ traceId }) => traceId === wanted);
    const first = hops[0];
    if (first === undefined) return null;
    const exchanges = [...hops].sort((a, b) => a.startedAt - b.startedAt);
    return { requestId: first.requestId, traceId: first.traceId, exchanges };
  }

  /** The newest request whose hops have all had time to report. */
  #last(): string {
    this.#entries = this.#entries.slice(-1_000);
    const settled = this.#clock.monotonic() - SETTLE_MS;
    const entry =
      this.#entries.findLast(({ heardAt }) => heardAt <= settled) ?? this.#entries[this.#entries.length - 1];
    return entry?.id ?? '';
  }

  #trim(): void {
    this.#exchanges = this.#exchanges.slice(-CAPACITY);
    this.#byRequest.clear();
    const kept = this.#exchanges;
    this.#exchanges = [];
    const entries = this.#entries;
    this.add(kept);
    this.#entries = entries;
  }
}

function fits(exchange: Exchange, filter: ExchangeFilter): boolean {
  const { from, to } = filter;
  if (from !== undefined && exchange.source.workload !== from) return false;
  if (to !== undefined && exchange.destination.workload !== to && exchange.destination.service !== to) return false;
  if (filter.status !== undefined && exchange.response.status !== filter.status) return false;
  if (filter.flag !== undefined && !exchange.flags.includes(filter.flag)) return false;
  if (filter.direction !== undefined && exchange.reporter.direction !== filter.direction) return false;
  if (filter.requestId !== undefined && exchange.requestId !== filter.requestId) return false;
  if (filter.traceId !== undefined && exchange.traceId !== filter.traceId) return false;
  return filter.since === undefined || exchange.startedAt >= filter.since;
}
