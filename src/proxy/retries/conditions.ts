import type { FailureCode } from '../../model/failure.js';
import type { RetryCondition } from '../../model/route.js';
import type { FieldBlock } from '../codec/field-block.js';

/** What came of a try: the head of an answer, or a failure before any. */
export type Outcome =
  | { readonly kind: 'answer'; readonly status: number; readonly fields: FieldBlock }
  | { readonly kind: 'failure'; readonly code: FailureCode; readonly written: boolean };

/** What a retry policy looks for, made ready. */
export interface Conditions {
  readonly retryOn: readonly RetryCondition[];
  readonly statusCodes: ReadonlySet<number>;
  readonly fields: readonly ((fields: FieldBlock) => boolean)[];
}

const CONNECT_FAILURES: ReadonlySet<FailureCode> = new Set([
  'connect_failure',
  'connect_timeout',
  'tls_failure',
  'identity_mismatch',
]);

/** Failures after which another endpoint may do better; the rest (client gone, overall timeout, overflow) are final. */
const RESETS: ReadonlySet<FailureCode> = new Set([
  ...CONNECT_FAILURES,
  'connection_termination',
  'upstream_protocol_error',
  'per_try_timeout',
]);

/** `grpc-status` by the word of `x-envoy-retry-grpc-on`; only one in the head counts, as in Envoy. */
const GRPC_STATUS: Readonly<Partial<Record<RetryCondition, string>>> = {
  cancelled: '1',
  'deadline-exceeded': '4',
  'resource-exhausted': '8',
  internal: '13',
  unavailable: '14',
};

/** The condition that this outcome meets, or null. Meanings: Envoy, router filter, `x-envoy-retry-on`. */
export function metCondition(conditions: Conditions, outcome: Outcome): RetryCondition | null {
  // What a rate limiter turned away stays turned away, whatever its status is.
  if (outcome.kind === 'answer' && outcome.fields.get('x-envoy-ratelimited') !== undefined)
    return conditions.retryOn.includes('envoy-ratelimited') ? 'envoy-ratelimited' : null;
  for (const condition of conditions.retryOn) {
    if (outcome.kind === 'answer' ? answers(condition, outcome, conditions) : fails(condition, outcome)) {
      return condition;
    }
  }
  return null;
}

function answers(
  condition: RetryCondition,
  { status, fields }: { readonly status: number; readonly fields: FieldBlock },
  conditions: Conditions,
): boolean {
  switch (condition) {
    case '5xx':
      return status >= 500;
    case 'gateway-error':
      return status >= 502 && status <= 504;
    case 'retriable-4xx':
      return status === 409;
    case 'retriable-status-codes':
      return conditions.statusCodes.has(status);
    case 'retriable-headers':
      return conditions.fields.some((test) => test(fields));
    default: {
      const code = GRPC_STATUS[condition];
      return code !== undefined && fields.get('grpc-status') === code;
    }
  }
}

function fails(condition: RetryCondition, outcome: { readonly code: FailureCode; readonly written: boolean }): boolean {
  switch (condition) {
    case '5xx':
    case 'reset':
    case 'gateway-error':
      // gateway-error covers resets as well in Envoy: no answer is counted as 503.
      return RESETS.has(outcome.code);
    case 'try-timeout':
      return outcome.code === 'per_try_timeout';
    case 'connect-failure':
      return CONNECT_FAILURES.has(outcome.code);
    case 'reset-before-request':
      return RESETS.has(outcome.code) && !outcome.written;
    default:
      return false;
  }
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/** Whether the method allows a second execution (RFC 9110 §9.2.2). */
export function isIdempotent(method: string): boolean {
  return IDEMPOTENT.has(method);
}
