import type { RetrySettings } from '../model/app.js';
import { ISTIO_DEFAULT_RETRIES } from '../model/flavor.js';
import { RETRY_CONDITIONS } from '../model/route.js';
import { suggestion } from '../yaml/problems.js';
import { duration, flag, limit, map, oneOf, type Reader, reader, table, whole } from '../yaml/readers.js';
import { textShape } from '../yaml/shape.js';

const KNOWN_CONDITIONS: ReadonlySet<string> = new Set(RETRY_CONDITIONS);

/** A list, or Envoy's comma list. */
const WORDS = { kind: 'either', of: [textShape(), { kind: 'list', of: textShape() }] } as const;

const readRetryOn: Reader<string[]> = reader(WORDS, (view, where, findings) => {
  const items = view.kind === 'list' ? view.items(where) : [view];
  return items.flatMap((item) => {
    const words = (item.text(where) ?? '').split(',').map((word) => word.trim());
    for (const word of words) {
      if (!KNOWN_CONDITIONS.has(word) && !/^[1-5]\d\d$/.test(word))
        findings.problem(
          item.source,
          `${where}: ${JSON.stringify(word)} is no reason to retry`,
          suggestion(word, RETRY_CONDITIONS, 'a status code, or'),
        );
    }
    return words;
  });
});

interface RetryWords {
  attempts: number;
  retryOn: string[];
  perTryTimeout: number | null;
  backoff: number;
  retryAfter: number;
  nonIdempotent: 'never' | 'with-key' | 'always';
  ignorePreviousHosts: boolean;
}

/** `retries`, in Istio's words; what is left out is as by default. */
export const readRetries: Reader<RetrySettings> = map(
  table<RetryWords>({
    attempts: whole(0, 10),
    retryOn: readRetryOn,
    perTryTimeout: limit,
    backoff: duration,
    retryAfter: duration,
    nonIdempotent: oneOf(['never', 'with-key', 'always']),
    ignorePreviousHosts: flag,
  }),
  (read): RetrySettings => ({
    ...ISTIO_DEFAULT_RETRIES,
    attempts: read.attempts ?? ISTIO_DEFAULT_RETRIES.attempts,
    retryOn: read.retryOn ?? ISTIO_DEFAULT_RETRIES.retryOn,
    perTryTimeoutMs: read.perTryTimeout ?? null,
    ...(read.backoff === undefined ? {} : { backoffBaseMs: read.backoff }),
    ...(read.retryAfter === undefined ? {} : { retryAfterMaxMs: read.retryAfter }),
    ...(read.nonIdempotent === undefined ? {} : { nonIdempotent: read.nonIdempotent }),
    ...(read.ignorePreviousHosts === undefined ? {} : { avoidTriedHosts: !read.ignorePreviousHosts }),
  }),
);
