import { BACKOFF } from '../../model/flavor.js';
import type { RetryPolicy } from '../../model/route.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Resource } from '../resource.js';
import { linkerdMs, unreadable } from './annotation-values.js';
import { grpcConditions, httpConditions } from './conditions.js';

type Annotations = Readonly<Record<string, string>>;

/** How patient callers are, as annotations say; undefined = they say nothing of it. */
export interface Patience {
  readonly retry: RetryPolicy | undefined;
  readonly timeoutMs: number | undefined;
}

/** What a route is about: it takes the conditions of its own kind alone. */
export type Calls = 'http' | 'grpc';

/** Retries and timeouts that a Service's or a route's annotations ask for. */
export function patienceOf({ annotations }: Pick<Resource, 'annotations'>, calls: Calls): Patience {
  return { retry: retryOf(annotations, calls), timeoutMs: timeoutOf(annotations) };
}

/** A route's annotations of one group take the place of all of the Service's of that group. */
export function patienceOver(own: Patience, wider: Patience): Patience {
  return { retry: own.retry ?? wider.retry, timeoutMs: own.timeoutMs ?? wider.timeoutMs };
}

/** A time of 0 is as if not written. */
function timeoutOf(annotations: Annotations): number | undefined {
  if (unreadable(annotations, 'timeouts') !== null) return undefined;
  const times = ['request', 'response'].map((what) => msAt(annotations, `timeout.linkerd.io/${what}`));
  const limited = times.filter((ms) => ms > 0);
  return limited.length === 0 ? undefined : Math.min(...limited);
}

function retryOf(annotations: Annotations, calls: Calls): RetryPolicy | undefined {
  if (unreadable(annotations, calls) !== null) return undefined;
  const conditions = annotations[`retry.linkerd.io/${calls}`];
  const limit = Number(annotations['retry.linkerd.io/limit'] ?? 0);
  const perTryMs = msAt(annotations, 'retry.linkerd.io/timeout');
  // What is 0 is as if not written.
  if (conditions === undefined && limit === 0 && perTryMs === 0) return undefined;
  const said = Object.keys(annotations).find((name) => name.startsWith('retry.linkerd.io/')) ?? '';
  const { file, line } = sourceOf(annotations, said);
  const codes = calls === 'http' ? (httpConditions(conditions ?? '') ?? []) : [];
  const grpc = calls === 'grpc' ? (grpcConditions(conditions ?? '') ?? []) : [];
  return {
    ...LINKERD_RETRIES,
    attempts: limit || 1,
    retryOn: [...(codes.length > 0 ? (['retriable-status-codes'] as const) : []), ...grpc, 'try-timeout'],
    retriableStatusCodes: codes,
    perTryTimeoutMs: perTryMs === 0 ? null : perTryMs,
    origin: `${said} in line ${line} of ${file}`,
  };
}

function msAt(annotations: Annotations, name: string): number {
  return linkerdMs(annotations[name] ?? '0') ?? 0;
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
