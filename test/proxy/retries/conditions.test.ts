import { describe, expect, it } from 'vitest';
import { FAILURES, type FailureCode } from '../../../src/model/failure.js';
import type { RetryCondition } from '../../../src/model/route.js';
import { FieldBlock } from '../../../src/proxy/codec/field-block.js';
import { type Conditions, isIdempotent, metCondition, type Outcome } from '../../../src/proxy/retries/conditions.js';

const conditions = (retryOn: readonly RetryCondition[], codes: readonly number[] = []): Conditions => ({
  retryOn,
  statusCodes: new Set(codes),
  fields: [(fields) => fields.has('x-again', 'yes')],
});
const answer = (status: number, ...fields: string[]): Outcome => ({
  kind: 'answer',
  status,
  fields: FieldBlock.of(...fields),
});
const onStatus = (status: number, retryOn: RetryCondition, codes: readonly number[] = []) =>
  metCondition(conditions([retryOn], codes), answer(status));
const onFailure = (code: FailureCode, retryOn: RetryCondition, written = true) =>
  metCondition(conditions([retryOn]), { kind: 'failure', code, written });

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
    expect(metCondition(conditions(['reset', 'gateway-error', '5xx']), answer(503))).toBe('gateway-error');
  });
});

describe('answers that say by a field that they may be asked for again', () => {
  it('retriable-headers: with one of those that the policy names', () => {
    expect(metCondition(conditions(['retriable-headers']), answer(200, 'x-again', 'yes'))).toBe('retriable-headers');
    expect(metCondition(conditions(['retriable-headers']), answer(503, 'x-again', 'no'))).toBeNull();
  });

  it.each<[RetryCondition, string]>([
    ['cancelled', '1'],
    ['deadline-exceeded', '4'],
    ['resource-exhausted', '8'],
    ['internal', '13'],
    ['unavailable', '14'],
  ])('%s: gRPC status %s in the head, whatever the HTTP status is', (word, code) => {
    for (let status = 0; status <= 16; status++) {
      const met = metCondition(conditions([word]), answer(200, 'grpc-status', String(status)));
      expect(met).toBe(String(status) === code ? word : null);
    }
  });

  it('what a rate limiter turned away is met by envoy-ratelimited alone', () => {
    const limited = answer(429, 'x-envoy-ratelimited', 'true');
    expect(metCondition(conditions(['5xx', 'retriable-status-codes'], [429]), limited)).toBeNull();
    expect(metCondition(conditions(['envoy-ratelimited']), limited)).toBe('envoy-ratelimited');
    expect(metCondition(conditions(['envoy-ratelimited']), answer(429))).toBeNull();
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
