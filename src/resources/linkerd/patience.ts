import { BACKOFF } from '../../model/flavor.js';
import type { RetryPolicy } from '../../model/route.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Resource } from '../resource.js';
import { durationMs } from '../words.js';
import { grpcConditions, httpConditions } from './conditions.js';

/** How patient callers are, as annotations say; undefined = they say nothing of it. */
export interface Patience {
  readonly retry: RetryPolicy | null | undefined;
  readonly timeoutMs: number | undefined;
}

type Annotated = Pick<Resource, 'annotations'>;

/** Retries and timeouts that a Service's or a route's annotations ask for. */
export function patienceOf({ annotations }: Annotated): Patience {
  const times = [annotations['timeout.linkerd.io/request'], annotations['timeout.linkerd.io/response']]
    .map(positiveMs)
    .filter((ms) => ms !== null);
  return { retry: retryOf(annotations), timeoutMs: times.length === 0 ? undefined : Math.min(...times) };
}

/** A route's annotations of one group take the place of all of the Service's of that group. */
export function patienceOver(own: Patience, wider: Patience): Patience {
  return { retry: own.retry === undefined ? wider.retry : own.retry, timeoutMs: own.timeoutMs ?? wider.timeoutMs };
}

function retryOf(annotations: Readonly<Record<string, string>>): Patience['retry'] {
  const said = Object.keys(annotations).find((name) => name.startsWith('retry.linkerd.io/'));
  if (said === undefined) return undefined;
  const codes = httpConditions(annotations['retry.linkerd.io/http'] ?? '') ?? [];
  const grpc = grpcConditions(annotations['retry.linkerd.io/grpc'] ?? '') ?? [];
  // 0 is as if not written.
  const limit = Number(annotations['retry.linkerd.io/limit'] ?? 1) || 1;
  const { file, line } = sourceOf(annotations, said);
  if (!(limit > 0)) return null;
  return {
    ...LINKERD_RETRIES,
    attempts: limit,
    retryOn: [...(codes.length > 0 ? (['retriable-status-codes'] as const) : []), ...grpc, 'try-timeout'],
    retriableStatusCodes: codes,
    perTryTimeoutMs: positiveMs(annotations['retry.linkerd.io/timeout']),
    origin: `${said} in line ${line} of ${file}`,
  };
}

function positiveMs(written: string | undefined): number | null {
  const ms = written === undefined ? null : durationMs(written);
  return ms === null || ms <= 0 ? null : ms;
}

/** What all of Linkerd's retries have in common: whatever the method, any endpoint, the last try without its own time. */
export const LINKERD_RETRIES: Omit<RetryPolicy, 'attempts' | 'retryOn' | 'retriableStatusCodes' | 'origin'> = {
  retriableHeaders: [],
  perTryTimeoutMs: null,
  freeLastTry: true,
  backoffBaseMs: BACKOFF.baseMs,
  backoffMaxMs: BACKOFF.maxMs,
  retryAfterMaxMs: null,
  avoidTriedHosts: false,
  nonIdempotent: 'always',
};
