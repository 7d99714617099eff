import { describe, expect, it } from 'vitest';
import { FAILURES, type FailureCode } from '../../../src/model/failure.js';
import type { RetryCondition, RetryPolicy } from '../../../src/model/route.js';
import { isIdempotent, metCondition } from '../../../src/proxy/retries/conditions.js';

const policy = (retryOn: readonly RetryCondition[], retriableStatusCodes: readonly number[] = []): RetryPolicy => ({
  attempts: 2,
  retryOn,
  retriableStatusCodes,
  perTryTimeoutMs: null,
  backoffBaseMs: 25,
  backoffMaxMs: 250,
  origin: 'test',
});
const onStatus = (status: number, retryOn: RetryCondition, codes: readonly number[] = []) =>
  metCondition(policy([retryOn], codes), { kind: 'answer', status });
const onFailure = (code: FailureCode, retryOn: RetryCondition, written = true) =>
  metCondition(policy([retryOn]), { kind: 'failure', code, written });

const STATUSES = [200, 304, 404, 409, 429, 500, 501, 502, 503, 504, 505, 599];
const RETRIED: readonly (readonly [RetryCondition, readonly number[]])[] = [
  ['5xx', [500, 501, 502, 503, 504, 505, 599]],
  ['gateway-error', [502, 503, 504]],
  ['retriable-4xx', [409]],
  ['connect-failure', []],
  ['refused-stream', []],
  ['reset', []],
  ['reset-before-request', []],
  ['retriable-status-codes', []],
];

describe('answers that meet a condition', () => {
  it.each(RETRIED)('%s: %j and no other', (condition, statuses) => {
    expect(STATUSES.filter((status) => onStatus(status, condition) !== null)).toEqual(statuses);
  });

  it('retriable-status-codes: those that the policy lists', () => {
    const met = STATUSES.filter((status) => onStatus(status, 'retriable-status-codes', [429, 503]) !== null);
    expect(met).toEqual([429, 503]);
  });

  it('is told by the name of the first that was met', () => {
    expect(metCondition(policy(['reset', 'gateway-error', '5xx']), { kind: 'answer', status: 503 })).toBe(
      'gateway-error',
    );
  });
});

const CONNECTING: readonly FailureCode[] = ['connect_failure', 'connect_timeout', 'tls_failure', 'identity_mismatch'];
const LATER: readonly FailureCode[] = ['connection_termination', 'upstream_protocol_error', 'per_try_timeout'];

describe('failures that meet a condition', () => {
  const met = (condition: RetryCondition, written: boolean) =>
    (Object.keys(FAILURES) as FailureCode[]).filter((code) => onFailure(code, condition, written) !== null).sort();

  it.each<RetryCondition>(['5xx', 'gateway-error', 'reset'])(
    '%s: whatever ended a try without an answer',
    (condition) => {
      expect(met(condition, true)).toEqual([...CONNECTING, ...LATER].sort());
    },
  );

  it('connect-failure: only before the connection stood', () => {
    expect(met('connect-failure', false)).toEqual([...CONNECTING].sort());
  });

  it('reset-before-request: only while nothing was written', () => {
    expect(met('reset-before-request', false)).toEqual([...CONNECTING, ...LATER].sort());
    expect(met('reset-before-request', true)).toEqual([]);
  });

  it.each<RetryCondition>(['refused-stream', 'retriable-4xx', 'retriable-status-codes'])(
    '%s: none of them',
    (condition) => {
      expect(met(condition, false)).toEqual([]);
    },
  );
});

describe('methods', () => {
  it('are idempotent as RFC 9110 says', () => {
    const all = ['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'POST', 'PATCH', 'LOCK', 'get'];
    expect(all.filter(isIdempotent)).toEqual(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);
  });
});
