import { fieldsTest } from '../../matching/match.js';
import type { RetryCondition, RetryPolicy } from '../../model/route.js';
import type { Reply } from '../pipeline/call.js';
import type { Conditions } from './conditions.js';

/** A retry policy made ready to be asked. */
export interface ReadyPolicy {
  readonly config: RetryPolicy;
  readonly conditions: Conditions;
  /** Whether an answer below 400 may be retried too: by a field of its own, or because its status is listed. */
  readonly mayDislike: (reply: Reply) => boolean;
}

const GRPC: ReadonlySet<RetryCondition> = new Set<RetryCondition>([
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
    mayDislike: successTest(config),
  };
  ready.set(config, policy);
  return policy;
}

/** Asked for every answer, so it asks as little as it can. */
function successTest({ retryOn, retriableStatusCodes, retriableHeaders }: RetryPolicy): ReadyPolicy['mayDislike'] {
  if (retriableStatusCodes.some((code) => code < 400) || retriableHeaders.length > 0) return () => true;
  if (retryOn.some((word) => GRPC.has(word))) return ({ head }) => head.fields.get('grpc-status') !== undefined;
  return () => false;
}
