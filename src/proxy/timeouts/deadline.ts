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
    const { timeoutMs } = routed.route;
    if (timeoutMs !== null) routed.call.onFinish(deadlines.set(timeoutMs, routed));
    return next(routed);
  };
}

/** The time allowed for one try, until the head of its answer. Stands behind the retries: a try too slow may be followed by another. */
export function perTryDeadline(clock: Clock): Filter<AttemptCall> {
  return (next) => (attempt) => {
    const limit = attempt.routed.route.retry?.perTryTimeoutMs ?? null;
    if (limit === null) return next(attempt);
    const timer = clock.after(limit, () => attempt.abort(new ProxyError('per_try_timeout', `${limit} ms`)));
    return next(attempt).finally(() => timer.cancel());
  };
}
