import type { RateLimitPolicy } from '../../model/policies.js';
import type { RateLimit } from '../../model/rate-limit.js';
import { accountName } from '../../model/spiffe-id.js';
import { list, type Read, tableWith, whole } from '../../yaml/readers.js';
import { ofKind, type Resource } from '../resource.js';
import type { Server } from './server.js';
import { placesOfServer } from './servers.js';
import { reference } from './words.js';

const rate = tableWith(['requestsPerSecond'], { requestsPerSecond: whole(1, 1_000_000) });

/** Limits at a Server: of all requests, of each caller's, and of some callers' by name. */
export const httpLocalRateLimitPolicy = tableWith(['targetRef'], {
  targetRef: reference,
  total: rate,
  identity: rate,
  overrides: list(
    tableWith(['requestsPerSecond', 'clientRefs'], {
      requestsPerSecond: whole(1, 1_000_000),
      clientRefs: list(reference),
    }),
  ),
});
export type HttpLocalRateLimitPolicy = Read<typeof httpLocalRateLimitPolicy>;

/** Whoever has no limit of its own where only some have: more than a sidecar can serve. */
const WITHOUT_LIMIT = 1_000_000;

export function linkerdRateLimitsOf(resources: readonly Resource[]): RateLimitPolicy[] {
  return ofKind<HttpLocalRateLimitPolicy>(resources, 'linkerd', 'HTTPLocalRateLimitPolicy').flatMap((policy) => {
    const server = ofKind<Server>(resources, 'linkerd', 'Server').find(
      ({ namespace, name }) => namespace === policy.namespace && name === policy.spec.targetRef.name,
    );
    const { proxyProtocol = 'unknown' } = server?.spec ?? {};
    // Linkerd hands limits to no Server of gRPC (policy-controller/grpc, inbound.rs).
    if (server === undefined || policy.spec.targetRef.kind !== 'Server' || proxyProtocol === 'gRPC') return [];
    return placesOfServer(server, resources).flatMap(({ selector, filter, port }) =>
      limitsOf(policy).map((limit) => ({
        object: policy,
        target: { kind: 'labels' as const, labels: selector ?? {}, ...(filter === undefined ? {} : { filter }), port },
        limit,
      })),
    );
  });
}

/** What a caller may and what all may are two limits; a request must get past both. */
function limitsOf(policy: Resource<HttpLocalRateLimitPolicy>): RateLimit[] {
  const { total, identity, overrides = [] } = policy.spec;
  const name = `HTTPLocalRateLimitPolicy ${policy.namespace}/${policy.name}`;
  const each = identity?.requestsPerSecond ?? (overrides.length > 0 ? WITHOUT_LIMIT : null);
  return [
    ...(each === null ? [] : [limitOf(`${name} (identity)`, 'client', each, overridesOf(policy))]),
    ...(total === undefined ? [] : [limitOf(`${name} (total)`, 'workload', total.requestsPerSecond, {})]),
  ];
}

function limitOf(name: string, per: RateLimit['per'], tokens: number, overrides: RateLimit['overrides']): RateLimit {
  return { name, match: null, per, overrides, burst: tokens, tokens, perMs: 1_000 };
}

function overridesOf({ namespace, spec }: Resource<HttpLocalRateLimitPolicy>): RateLimit['overrides'] {
  return Object.fromEntries(
    (spec.overrides ?? []).flatMap(({ requestsPerSecond, clientRefs }) =>
      clientRefs
        .filter(({ kind }) => kind === 'ServiceAccount')
        .map((ref) => [accountName(ref.name, ref.namespace ?? namespace), { tokens: requestsPerSecond, perMs: 1_000 }]),
    ),
  );
}
