import type { RetryPolicy } from '../../model/route.js';
import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import type { Call, Reply } from '../pipeline/call.js';

interface BackOffParts {
  readonly clock: Clock;
  readonly random: Random;
}

/**
 * The pause before the next try: what the answer asked for with `Retry-After`, else full jitter. Ends early, with what
 * cancelled the call, when the caller leaves.
 */
export function backOff(
  { clock, random }: BackOffParts,
  call: Call,
  policy: RetryPolicy,
  number: number,
  reply: Reply | null,
): Promise<void> {
  const asked = policy.retryAfterMaxMs === null ? null : retryAfter(reply, clock.now());
  const ms =
    asked === null || asked > (policy.retryAfterMaxMs as number)
      ? random.decide(call.record.requestId, `back-off ${number}`) * jitterCeiling(policy, number)
      : asked;
  const started = clock.monotonic();
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      call.record.queueMs += clock.monotonic() - started;
      resolve();
    });
    call.active = {
      abort: (error) => {
        timer.cancel();
        reject(error);
      },
    };
    if (call.cancelled !== null) call.active.abort(call.cancelled);
  });
}

/** Full jitter, as Envoy: random in [0, (2^n - 1) × base), at most `max`. */
export function jitterCeiling({ backoffBaseMs, backoffMaxMs }: RetryPolicy, number: number): number {
  return Math.min((2 ** number - 1) * backoffBaseMs, backoffMaxMs);
}

/** Ms that an answer asks to wait (RFC 9110 §10.2.3: seconds or a date); null when it does not, or not in a way we know. */
export function retryAfter(reply: Reply | null, now: number): number | null {
  const value = reply?.head.fields.get('retry-after');
  if (value === undefined) return null;
  if (/^\d{1,9}$/.test(value)) return Number(value) * 1000;
  const date = Date.parse(value);
  return Number.isNaN(date) ? null : Math.max(0, date - now);
}
