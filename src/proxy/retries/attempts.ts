import type { Attempt } from '../../model/exchange.js';
import { failureSentence } from '../../model/failure.js';
import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import { AttemptCall, type Call, type Filter, type Reply, type RoutedCall } from '../pipeline/call.js';
import { asProxyError, type ProxyError } from '../pipeline/proxy-error.js';
import { backOff } from './back-off.js';
import type { Outcome } from './conditions.js';
import { isIdempotent, metCondition } from './conditions.js';
import { type ReadyPolicy, readyPolicy } from './policy.js';

export interface AttemptsParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Bodies up to this size are kept so that another try can send them again (R4), bytes. */
  readonly replayBytes: () => number;
  /** Called when a try is over, for the counts per endpoint. */
  readonly onAttempt: (call: Call, attempt: Attempt) => void;
}

/**
 * Tries, and tries again where the route's policy, the cluster's budget, the method and the body allow it. Never after
 * the head of an answer went down, never after the caller left. Each try and the reason for the next (or for none) goes
 * into the record.
 */
export function attempts(parts: AttemptsParts): Filter<RoutedCall, AttemptCall> {
  return (next) => {
    const start = (routed: RoutedCall, number: number): Promise<Reply> => {
      const attempt = new AttemptCall(routed, number, parts.clock.monotonic());
      routed.call.active = attempt;
      return settled(next, attempt).then(
        (reply) => conclude(parts, attempt, reply, null, start),
        (thrown) => conclude(parts, attempt, null, asProxyError(thrown), start),
      );
    };
    return (routed) => {
      if (routed.route.retry !== null) {
        routed.call.body.keepForReplay(parts.replayBytes());
        routed.cluster.retries.began();
      }
      return start(routed, 1);
    };
  };
}

/** What comes of a try, also where it fails before it has begun. */
function settled(next: (attempt: AttemptCall) => Promise<Reply>, attempt: AttemptCall): Promise<Reply> {
  try {
    return next(attempt);
  } catch (error) {
    return Promise.reject(error);
  }
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
  const { call, route, cluster } = attempt.routed;
  if (attempt.number > 1) cluster.retries.ended();
  const policy = route.retry === null ? null : readyPolicy(route.retry);
  const verdict = judge(policy, parts, attempt, reply, error);
  note(parts, attempt, reply, error, verdict.reason);
  if (verdict.again) return again(parts, policy as ReadyPolicy, attempt, reply, start);
  call.body.stopKeeping();
  if (verdict.flag !== '') call.record.flag(verdict.flag);
  if (error !== null) throw call.cancelled ?? error;
  // The answer's body still flows: a cancellation from here on must reach its connection.
  call.active = attempt;
  return reply as Reply;
}

async function again(
  parts: AttemptsParts,
  policy: ReadyPolicy,
  attempt: AttemptCall,
  reply: Reply | null,
  start: Start,
): Promise<Reply> {
  const { call, cluster } = attempt.routed;
  reply?.body.abandon();
  call.body.rewind();
  try {
    await backOff(parts, call, policy.config, attempt.number, reply);
  } catch (error) {
    cluster.retries.ended();
    throw error;
  }
  return start(attempt.routed, attempt.number + 1);
}

interface Verdict {
  readonly again: boolean;
  readonly reason: string;
  /** Envoy's flag for why no further try came where the policy wanted one: URX (used up), UO (over the budget), or ''. */
  readonly flag: '' | 'URX' | 'UO';
}

const FINE: Verdict = { again: false, reason: '', flag: '' };

function judge(
  policy: ReadyPolicy | null,
  { replayBytes }: AttemptsParts,
  attempt: AttemptCall,
  reply: Reply | null,
  error: ProxyError | null,
): Verdict {
  const { call, cluster } = attempt.routed;
  // The common case, before anything is made for it.
  if (reply !== null && reply.head.status < 400 && (policy === null || !policy.mayDislike(reply))) return FINE;
  const outcome = outcomeOf(reply, error, attempt);
  const failed = outcome.kind === 'failure' || outcome.status >= 500;
  if (call.cancelled !== null) return no('not retried: nobody waits for the answer any more');
  if (policy === null) return failed ? no('not retried: this route has no retry policy') : FINE;
  const { config } = policy;
  const condition = metCondition(policy.conditions, outcome);
  if (condition === null)
    return failed
      ? no(`not retried: ${what(outcome)} is not in ${config.origin} (${config.retryOn.join(', ')})`)
      : FINE;
  if (call.lineage.retried)
    return no('not retried: a proxy nearer to the first caller does that (x-mesh.propagate.retries)');
  const barrier = attempt.written ? barrierOf(policy, call, replayBytes()) : null;
  if (barrier !== null) return no(`not retried: ${barrier}`);
  if (attempt.number > config.attempts) {
    const most = `${config.attempts} ${config.attempts === 1 ? 'retry' : 'retries'}`;
    return {
      again: false,
      flag: config.attempts > 0 ? 'URX' : '',
      reason: `not retried again: ${config.origin} allows ${most}`,
    };
  }
  if (!cluster.retries.admit())
    return {
      again: false,
      flag: 'UO',
      reason: `not retried: the retries to ${cluster.config.service} are at their limit`,
    };
  return { again: true, flag: '', reason: `retried: ${what(outcome)} meets ${condition} of ${config.origin}` };
}

/** Why a request that may have been executed must not be sent again; null = it may. */
function barrierOf({ config }: ReadyPolicy, call: Call, replayBytes: number): string | null {
  const { method, fields } = call.head;
  if (!isIdempotent(method) && config.nonIdempotent !== 'always') {
    const keyed = fields.get('idempotency-key') !== undefined;
    if (!keyed) return `${method} may have been executed, and is not idempotent`;
    if (config.nonIdempotent === 'never')
      return `${method} may have been executed, and ${config.origin} does not go by its Idempotency-Key`;
  }
  return call.body.replayable ? null : `the body is larger than ${replayBytes / 1024} KiB`;
}

function no(reason: string): Verdict {
  return { again: false, reason, flag: '' };
}

function outcomeOf(reply: Reply | null, error: ProxyError | null, attempt: AttemptCall): Outcome {
  if (reply !== null) return { kind: 'answer', status: reply.head.status, fields: reply.head.fields };
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
