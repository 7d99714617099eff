import type { Attempt } from '../../model/exchange.js';
import { failureSentence } from '../../model/failure.js';
import type { RetryPolicy } from '../../model/route.js';
import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import { AttemptCall, type Call, type Filter, type Reply, type RoutedCall } from '../pipeline/call.js';
import { asProxyError, type ProxyError } from '../pipeline/proxy-error.js';
import { isIdempotent, metCondition, type Outcome } from './conditions.js';

/** Bodies up to this size are kept so that another try can send them again (R4). */
export const REPLAY_LIMIT = 64 * 1024;

export interface AttemptsParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Called when a try is over, for the counts per endpoint. */
  readonly onAttempt: (call: Call, attempt: Attempt) => void;
}

/**
 * Tries, and tries again where the route's policy, the method and the body allow it. Never after the head of an answer
 * went down, never after the caller left. Each try and the reason for the next (or for none) goes into the record.
 */
export function attempts(parts: AttemptsParts): Filter<RoutedCall, AttemptCall> {
  return (next) => {
    const start = (routed: RoutedCall, number: number): Promise<Reply> => {
      const attempt = new AttemptCall(routed, number, parts.clock.monotonic());
      routed.call.active = attempt;
      return next(attempt).then(
        (reply) => conclude(parts, attempt, reply, null, start),
        (thrown) => conclude(parts, attempt, null, asProxyError(thrown), start),
      );
    };
    return (routed) => {
      if (routed.route.retry !== null) routed.call.body.keepForReplay(REPLAY_LIMIT);
      return start(routed, 1);
    };
  };
}

type Start = (routed: RoutedCall, number: number) => Promise<Reply>;

/** What came of a try: the answer, the next try, or the error (thrown). */
function conclude(
  parts: AttemptsParts,
  attempt: AttemptCall,
  reply: Reply | null,
  error: ProxyError | null,
  start: Start,
): Reply | Promise<Reply> {
  const { call, route } = attempt.routed;
  const verdict = judge(route.retry, attempt, reply, error, call);
  note(parts, attempt, reply, error, verdict.reason);
  if (verdict.again) return again(parts, attempt, reply, start);
  call.body.stopKeeping();
  if (verdict.exhausted && route.retry !== null && route.retry.attempts > 0) call.record.flag('URX');
  if (error !== null) throw call.cancelled ?? error;
  // The answer's body still flows: a cancellation from here on must reach its connection.
  call.active = attempt;
  return reply as Reply;
}

async function again(parts: AttemptsParts, attempt: AttemptCall, reply: Reply | null, start: Start): Promise<Reply> {
  const { call, route } = attempt.routed;
  reply?.body.abandon();
  call.body.rewind();
  await backOff(parts, call, route.retry as RetryPolicy, attempt.number);
  return start(attempt.routed, attempt.number + 1);
}

interface Verdict {
  readonly again: boolean;
  readonly reason: string;
  /** The policy would have tried again, but its tries were used up (Envoy: URX). */
  readonly exhausted: boolean;
}

const FINE: Verdict = { again: false, reason: '', exhausted: false };

function judge(
  policy: RetryPolicy | null,
  attempt: AttemptCall,
  reply: Reply | null,
  error: ProxyError | null,
  call: Call,
): Verdict {
  const status = reply === null ? 0 : reply.head.status;
  // The common case, before anything is made for it.
  if (status !== 0 && status < 400 && policy?.retriableStatusCodes.includes(status) !== true) return FINE;
  const outcome = outcomeOf(reply, error, attempt);
  const failed = outcome.kind === 'failure' || outcome.status >= 500;
  if (call.cancelled !== null) return no('not retried: nobody waits for the answer any more');
  if (policy === null) return failed ? no('not retried: this route has no retry policy') : FINE;
  const condition = metCondition(policy, outcome);
  if (condition === null)
    return failed
      ? no(`not retried: ${what(outcome)} is not in ${policy.origin} (${policy.retryOn.join(', ')})`)
      : FINE;
  if (attempt.number > policy.attempts) {
    return {
      again: false,
      exhausted: true,
      reason: `not retried again: ${policy.origin} allows ${policy.attempts} ${policy.attempts === 1 ? 'retry' : 'retries'}`,
    };
  }
  if (attempt.written && !isIdempotent(call.head.method)) {
    return no(`not retried: ${call.head.method} may have been executed, and is not idempotent`);
  }
  if (attempt.written && !call.body.replayable)
    return no(`not retried: the body is larger than ${REPLAY_LIMIT / 1024} KiB`);
  return { again: true, exhausted: false, reason: `retried: ${what(outcome)} meets ${condition} of ${policy.origin}` };
}

function no(reason: string): Verdict {
  return { again: false, reason, exhausted: false };
}

function outcomeOf(reply: Reply | null, error: ProxyError | null, attempt: AttemptCall): Outcome {
  if (reply !== null) return { kind: 'answer', status: reply.head.status };
  return { kind: 'failure', code: (error as ProxyError).code, written: attempt.written };
}

function what(outcome: Outcome): string {
  return outcome.kind === 'answer' ? `status ${outcome.status}` : failureSentence(outcome.code, 'the endpoint');
}

function note(
  parts: AttemptsParts,
  attempt: AttemptCall,
  reply: Reply | null,
  error: ProxyError | null,
  next: string,
): void {
  const { call } = attempt.routed;
  const { endpoint } = attempt;
  const entry: Attempt = {
    number: attempt.number,
    endpoint: endpoint === null ? '' : endpoint.address,
    workload: endpoint === null ? '' : endpoint.config.workload,
    startedMs: attempt.started - call.record.started,
    durationMs: parts.clock.monotonic() - attempt.started,
    status: reply === null ? 0 : reply.head.status,
    failure: error === null ? null : error.code,
    next,
    reusedConnection: attempt.reusedConnection,
  };
  call.record.tried(entry);
  parts.onAttempt(call, entry);
}

/** Full jitter, as Envoy: random in [0, (2^n - 1) × base), at most `max`. Ends early when the caller leaves. */
function backOff(parts: AttemptsParts, call: Call, policy: RetryPolicy, number: number): Promise<void> {
  const ceiling = Math.min((2 ** number - 1) * policy.backoffBaseMs, policy.backoffMaxMs);
  const ms = parts.random.decide(call.record.requestId, `back-off ${number}`) * ceiling;
  const started = parts.clock.monotonic();
  return new Promise((resolve, reject) => {
    const timer = parts.clock.after(ms, () => {
      call.record.queueMs += parts.clock.monotonic() - started;
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
