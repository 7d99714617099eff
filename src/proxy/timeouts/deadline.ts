import type { Clock } from '../../platform/clock.js';
import { Deadlines } from '../../platform/deadlines.js';
import type { AttemptCall, Filter, RoutedCall } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';

/**
 * The route's timeout: over all attempts and the pauses between them, until the last byte of the answer (R7). Stands
 * before the retries, so that they cannot outlive it.
 */
export function deadline(clock: Clock): Filter<RoutedCall> {
  const deadlines = new Deadlines(clock);
  return (next) => (routed) => {
    const { call, route } = routed;
    if (call.lineage.until !== Number.POSITIVE_INFINITY) call.onFinish(deadlines.set(inherit(routed, clock), routed));
    else if (route.timeoutMs !== null) {
      routed.until = call.record.started + route.timeoutMs;
      call.onFinish(deadlines.set(route.timeoutMs, routed));
    }
    return next(routed);
  };
}

/** The time that is left, ms: the route's own, and no more than that of the call that this one is made for (R8). */
function inherit(routed: RoutedCall, clock: Clock): number {
  const { call, route } = routed;
  const now = clock.monotonic();
  const own = route.timeoutMs ?? Number.POSITIVE_INFINITY;
  const left = Math.max(0, Math.floor(call.lineage.until - now));
  routed.until = now + Math.min(own, left);
  if (left < own)
    call.record.decide({
      kind: 'timeout',
      text: `whoever waits for it waits ${left} ms more`,
      rule: 'x-mesh.propagate.deadline',
      source: null,
    });
  return Math.min(own, left);
}

/** The time allowed for one try, until the head of its answer. Stands behind the retries: a try too slow may be followed by another. */
export function perTryDeadline(clock: Clock): Filter<AttemptCall> {
  return (next) => (attempt) => {
    const { retry } = attempt.routed.route;
    const limit = retry?.perTryTimeoutMs ?? null;
    if (retry === null || limit === null || (retry.freeLastTry && attempt.number > retry.attempts))
      return next(attempt);
    const timer = clock.after(limit, () => attempt.abort(new ProxyError('per_try_timeout', `${limit} ms`)));
    return next(attempt).finally(() => timer.cancel());
  };
}
