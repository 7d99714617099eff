import type { FailureCode } from '../../model/failure.js';
import type { RetryPolicy } from '../../model/route.js';

/** What came of a try: an answer with a status, or a failure before any. */
export type Outcome =
  | { readonly kind: 'answer'; readonly status: number }
  | { readonly kind: 'failure'; readonly code: FailureCode; readonly written: boolean };

const CONNECT_FAILURES: ReadonlySet<FailureCode> = new Set([
  'connect_failure',
  'connect_timeout',
  'tls_failure',
  'identity_mismatch',
]);

/** Failures after which another endpoint may do better; the rest (client gone, overall timeout, no route) are final. */
const RESETS: ReadonlySet<FailureCode> = new Set([
  ...CONNECT_FAILURES,
  'connection_termination',
  'upstream_protocol_error',
  'per_try_timeout',
]);

/** The condition of the policy that this outcome meets, or null. Meanings: Envoy, router filter, `x-envoy-retry-on`. */
export function metCondition(policy: RetryPolicy, outcome: Outcome): string | null {
  for (const condition of policy.retryOn) {
    if (outcome.kind === 'answer' ? answers(condition, outcome.status, policy) : fails(condition, outcome)) {
      return condition;
    }
  }
  return null;
}

function answers(condition: string, status: number, policy: RetryPolicy): boolean {
  switch (condition) {
    case '5xx':
      return status >= 500;
    case 'gateway-error':
      return status >= 502 && status <= 504;
    case 'retriable-4xx':
      return status === 409;
    case 'retriable-status-codes':
      return policy.retriableStatusCodes.includes(status);
    default:
      return false;
  }
}

function fails(condition: string, outcome: { readonly code: FailureCode; readonly written: boolean }): boolean {
  switch (condition) {
    case '5xx':
    case 'reset':
    case 'gateway-error':
      // gateway-error covers resets as well in Envoy: no answer is counted as 503.
      return RESETS.has(outcome.code);
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
