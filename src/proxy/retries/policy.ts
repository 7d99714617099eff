import type { RetryCondition, RetryPolicy } from '../../model/route.js';
import { fieldsTest } from '../matching/match.js';
import type { Conditions } from './conditions.js';

/** A retry policy made ready to be asked. */
export interface ReadyPolicy {
  readonly config: RetryPolicy;
  readonly conditions: Conditions;
  /** Answers below 400 may be retried too: by a field of theirs, or because their status is listed. */
  readonly looksAtSuccess: boolean;
}

const BY_FIELD: ReadonlySet<RetryCondition> = new Set([
  'retriable-headers',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
]);

const ready = new WeakMap<RetryPolicy, ReadyPolicy>();

/** The same for the same policy. */
export function readyPolicy(config: RetryPolicy): ReadyPolicy {
  const known = ready.get(config);
  if (known !== undefined) return known;
  const policy: ReadyPolicy = {
    config,
    conditions: {
      retryOn: config.retryOn,
      statusCodes: new Set(config.retriableStatusCodes),
      fields: config.retriableHeaders.map(fieldsTest),
    },
    looksAtSuccess:
      config.retriableStatusCodes.some((code) => code < 400) || config.retryOn.some((word) => BY_FIELD.has(word)),
  };
  ready.set(config, policy);
  return policy;
}
