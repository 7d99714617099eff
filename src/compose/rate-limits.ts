import type { RateLimit } from '../model/rate-limit.js';
import type { RouteMatch } from '../model/route.js';
import { duration, map, oneOf, type Reader, reader, record, shapeOf, table, text, whole } from '../yaml/readers.js';
import { readMatch } from '../yaml/route-match.js';

const tokens = whole(1, 1_000_000);

interface LimitWords {
  name: string;
  requests: number;
  per: number;
  burst: number;
  bucket: 'workload' | 'client';
  match: RouteMatch;
  overrides: RateLimit['overrides'];
}

const readOverride = map(
  table<{ requests: number; per: number }>({ requests: tokens, per: duration }),
  ({ requests = 1, per = 1_000 }) => ({ tokens: requests, perMs: Math.max(1, per) }),
);

const readWords = table<LimitWords>({
  name: text,
  requests: tokens,
  per: duration,
  burst: tokens,
  bucket: oneOf(['workload', 'client']),
  match: readMatch,
  overrides: record(readOverride),
});

/** `rateLimits`: so many requests in so much time, saved up to a burst, for everybody or for each client. */
export const readRateLimit: Reader<RateLimit> = reader(shapeOf(readWords), (view, where, findings) => {
  const read = readWords(view, where, findings);
  if (read?.requests === undefined) {
    findings.problem(view.source, `${where} does not say how many requests`, 'requests: 100, per: 1s');
    return undefined;
  }
  return {
    name: read.name ?? where.slice(where.indexOf('rateLimits')),
    match: read.match ?? null,
    per: read.bucket ?? 'workload',
    overrides: read.overrides ?? {},
    burst: read.burst ?? read.requests,
    tokens: read.requests,
    perMs: Math.max(1, read.per ?? 1_000),
  };
});
