import { type HeadTest, headTest } from '../../matching/match.js';
import type { RateLimit } from '../../model/rate-limit.js';
import type { Clock } from '../../platform/clock.js';
import type { Call, Filter } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { TokenBucket } from './token-bucket.js';

/** Callers with a bucket each; the one that was quiet longest goes first. */
const MOST_CLIENTS = 1_000;

/** Callers that proved no identity share one bucket. */
const UNKNOWN = '';

/**
 * Turns requests away when a limit's bucket is empty: 429, flag `RL`, with `x-ratelimit-*` (IETF draft, version 03, as
 * Envoy writes them) and `Retry-After`. A request must get past every limit that it matches.
 */
export function limitRate(clock: Clock, limits: () => LimitTable): Filter<Call> {
  return (next) => (call) => {
    const table = limits();
    for (let i = 0; i < table.limits.length; i++) check(table.limits[i] as LimitAtWork, call, clock);
    return next(call);
  };
}

function check(limit: LimitAtWork, call: Call, clock: Clock): void {
  const { port } = limit.config;
  if ((port !== undefined && port !== call.port) || !limit.matches(call.head)) return;
  const now = clock.monotonic();
  const { bucket, burst } = limit.bucketOf(call, now);
  const taken = bucket.take(now);
  const seconds = String(Math.ceil(bucket.untilNext(now) / 1000));
  const set: [string, string][] = [
    ['x-ratelimit-limit', String(burst)],
    ['x-ratelimit-remaining', String(bucket.left(now))],
    ['x-ratelimit-reset', seconds],
  ];
  if (!taken) set.push(['retry-after', seconds], ['x-local-rate-limit', 'true'], ['x-envoy-ratelimited', 'true']);
  call.replyChanges = [...call.replyChanges, { remove: [], set, add: [] }];
  if (taken) return;
  const { name } = limit.config;
  const whose = limit.config.per === 'client' ? `for ${call.sourceApp || 'callers without an identity'} ` : '';
  call.record.decide({
    kind: 'rate-limit',
    text: `rate limit ${name} ${whose}was used up: ${burst} requests`,
    rule: name,
    source: null,
  });
  throw new ProxyError('rate_limited', name);
}

/** The limits of a configuration; buckets of limits that did not change stay as full as they are. */
export class LimitTable {
  readonly limits: readonly LimitAtWork[];

  /** Throws when an expression of a limit is none. */
  constructor(limits: readonly RateLimit[], previous: LimitTable | null) {
    this.limits = limits.map((config) => {
      const key = JSON.stringify(config);
      return previous?.limits.find((known) => known.key === key) ?? new LimitAtWork(config, key);
    });
  }
}

interface Sized {
  readonly bucket: TokenBucket;
  readonly burst: number;
}

function testOf({ match, except = [] }: RateLimit): HeadTest {
  const wanted = match === null ? () => true : headTest(match);
  const others = except.map(headTest);
  return others.length === 0 ? wanted : (head) => wanted(head) && !others.some((test) => test(head));
}

class LimitAtWork {
  readonly config: RateLimit;
  readonly key: string;
  readonly matches: HeadTest;
  readonly #overrides: ReadonlyMap<string, { readonly tokens: number; readonly perMs: number }>;
  readonly #buckets = new Map<string, Sized>();

  constructor(config: RateLimit, key: string) {
    this.config = config;
    this.key = key;
    this.#overrides = new Map(Object.entries(config.overrides));
    this.matches = testOf(config);
  }

  bucketOf(call: Call, now: number): Sized {
    const { sourcePrincipal } = call.record;
    const own = this.#overrides.get(sourcePrincipal) ?? this.#overrides.get(call.sourceApp);
    const name = own !== undefined || this.config.per === 'client' ? sourcePrincipal : UNKNOWN;
    const known = this.#buckets.get(name);
    if (known !== undefined) {
      // Moved to the end, so that the first is the one that was quiet longest.
      if (this.#buckets.size > 1) {
        this.#buckets.delete(name);
        this.#buckets.set(name, known);
      }
      return known;
    }
    const { tokens, perMs } = own ?? this.config;
    const burst = own === undefined ? this.config.burst : own.tokens;
    const made = { bucket: new TokenBucket(burst, tokens / perMs, now), burst };
    this.#buckets.set(name, made);
    if (this.#buckets.size > MOST_CLIENTS) this.#buckets.delete(this.#buckets.keys().next().value as string);
    return made;
  }
}
