import type { RetryBudget } from '../../model/cluster.js';
import { fqdn } from '../../model/names.js';
import type { DestinationPolicy } from '../../model/policies.js';
import { list, type Read, table, tableWith, text, whole } from '../../yaml/readers.js';
import { layTraffic } from '../lay-traffic.js';
import { ofKind, type Resource } from '../resource.js';
import { duration, noticed } from './words.js';

const DAY_MS = 86_400_000;

/** What an XBackendTrafficPolicy may hold (gateway-api apisx/v1alpha1, GEP-3388), as it is read. */
export const backendTrafficPolicy = tableWith(['targetRefs'], {
  targetRefs: list(tableWith(['group', 'kind', 'name'], { group: text, kind: text, name: text })),
  retryConstraint: table({
    budget: table({ percent: whole(0, 100), interval: duration }),
    minRetryRate: table({ count: whole(1, 1_000_000), interval: duration }),
  }),
  sessionPersistence: noticed,
});

export type BackendTrafficPolicy = Read<typeof backendTrafficPolicy>;

/**
 * DestinationRules with the retry budgets of the Gateway API: one that is about the same Service in the same namespace and
 * has none of its own gets it, else it is a policy by itself.
 */
export function withRetryBudgets(
  destinations: readonly DestinationPolicy[],
  resources: readonly Resource[],
): DestinationPolicy[] {
  const known = [...destinations];
  for (const policy of ofKind<BackendTrafficPolicy>(resources, 'gateway-api', 'XBackendTrafficPolicy')) {
    const retryBudget = budgetOf(policy);
    if (retryBudget === null) continue;
    for (const { group, kind, name } of policy.spec.targetRefs)
      if (group === '' && kind === 'Service')
        layTraffic({ retryBudget }, { host: fqdn(name, policy.namespace), port: null }, policy, known);
  }
  return known;
}

function budgetOf({ spec: { retryConstraint } }: Resource<BackendTrafficPolicy>): RetryBudget | null {
  if (retryConstraint === undefined) return null;
  const { budget = {}, minRetryRate = {} } = retryConstraint;
  return {
    kind: 'rate',
    percent: budget.percent ?? 20,
    minimumPerSecond: ((minRetryRate.count ?? 10) * 1_000) / (minRetryRate.interval || 1_000),
    windowMs: Math.min(budget.interval || 10_000, DAY_MS),
  };
}
