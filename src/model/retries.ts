import type { RetrySettings } from './app.js';
import { BACKOFF } from './flavor.js';
import { RETRY_CONDITIONS, type RetryCondition, type RetryPolicy } from './route.js';

const CONDITIONS: ReadonlySet<string> = new Set(RETRY_CONDITIONS);

/**
 * Retry settings as the sidecar obeys them. Whole numbers in `retryOn` become retriable status codes, as in Istio; words
 * that Envoy does not know are dropped (the reader warned about them).
 */
export function policyOf(wanted: RetrySettings, origin: string): RetryPolicy | null {
  if (wanted.attempts <= 0) return null;
  const codes = wanted.retryOn.filter((word) => /^[1-5][0-9][0-9]$/.test(word)).map(Number);
  const words = wanted.retryOn.filter((word): word is RetryCondition => CONDITIONS.has(word));
  if (codes.length > 0 && !words.includes('retriable-status-codes')) words.push('retriable-status-codes');
  return {
    attempts: wanted.attempts,
    retryOn: words,
    retriableStatusCodes: codes,
    retriableHeaders: [],
    perTryTimeoutMs: wanted.perTryTimeoutMs,
    backoffBaseMs: wanted.backoffBaseMs ?? BACKOFF.baseMs,
    backoffMaxMs: wanted.backoffBaseMs === undefined ? BACKOFF.maxMs : wanted.backoffBaseMs * 10,
    retryAfterMaxMs: wanted.retryAfterMaxMs ?? null,
    avoidTriedHosts: wanted.avoidTriedHosts ?? true,
    nonIdempotent: wanted.nonIdempotent ?? 'never',
    origin,
  };
}

/** Status codes for a sentence, neighbours as a range: `404`, `500-599`. */
export function codesText(codes: readonly number[]): string[] {
  const ranges: [from: number, to: number][] = [];
  for (const code of codes) {
    const last = ranges[ranges.length - 1];
    if (last !== undefined && last[1] === code - 1) last[1] = code;
    else ranges.push([code, code]);
  }
  return ranges.flatMap(([from, to]) =>
    to - from > 1 ? [`${from}-${to}`] : from === to ? [`${from}`] : [`${from}`, `${to}`],
  );
}
