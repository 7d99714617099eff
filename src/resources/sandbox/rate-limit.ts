import type { RateLimitPolicy } from '../../model/policies.js';
import { duration, map, oneOf, type Read, record, tableWith, text, whole } from '../../yaml/readers.js';
import { readMatch } from '../../yaml/route-match.js';
import { ofKind, type Resource } from '../resource.js';

/** Our own kind `RateLimit` (`mesh-sandbox.dev/v1`): so many requests in so much time, at the callee's sidecars. */
const tokens = whole(1, 1_000_000);

const override = map(tableWith(['requests'], { requests: tokens, per: duration }), ({ requests, per = 1_000 }) => ({
  tokens: requests,
  perMs: Math.max(1, per),
}));

export const rateLimit = tableWith(['to', 'requests'], {
  to: text,
  requests: tokens,
  per: duration,
  burst: tokens,
  bucket: oneOf(['workload', 'client']),
  match: readMatch,
  overrides: record(override),
});

export type RateLimitSpec = Read<typeof rateLimit>;

export function rateLimitsOf(resources: readonly Resource[]): RateLimitPolicy[] {
  return ofKind<RateLimitSpec>(resources, 'sandbox', 'RateLimit').map((resource) => {
    const {
      to,
      requests,
      per = 1_000,
      burst = requests,
      bucket = 'workload',
      match = null,
      overrides = {},
    } = resource.spec;
    return {
      object: resource,
      target: { kind: 'name', name: to },
      limit: {
        name: `RateLimit ${resource.namespace}/${resource.name}`,
        match,
        per: bucket,
        overrides,
        burst,
        tokens: requests,
        perMs: Math.max(1, per),
      },
    };
  });
}
