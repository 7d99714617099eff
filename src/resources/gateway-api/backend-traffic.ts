import type { RetryBudget } from '../../model/cluster.js';
import { fqdn } from '../../model/names.js';
import type { DestinationPolicy, PortTraffic, TrafficSettings } from '../../model/policies.js';
import { list, type Read, table, tableWith, text, whole } from '../../yaml/readers.js';
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

const NOTHING: PortTraffic = { pool: null, balancer: null, outlier: null, tls: null, retryBudget: null, ports: [] };

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
      if (group === '' && kind === 'Service') layTraffic({ retryBudget }, fqdn(name, policy.namespace), policy, known);
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

/** Adds settings of a host to what is known of it in the same namespace; what that says already stays. */
export function layTraffic(
  settings: Partial<TrafficSettings>,
  host: string,
  object: Resource,
  known: DestinationPolicy[],
): void {
  let found = false;
  for (const [i, one] of known.entries()) {
    if (one.host !== host || one.object.namespace !== object.namespace) continue;
    found = true;
    const traffic = one.traffic ?? NOTHING;
    known[i] = { ...one, traffic: { ...traffic, ...missingIn(traffic, settings) } };
  }
  if (found) return;
  known.push({
    object,
    host,
    visibleTo: null,
    callers: null,
    created: object.created,
    traffic: { ...NOTHING, ...settings },
    subsets: [],
  });
}

function missingIn(traffic: PortTraffic, settings: Partial<TrafficSettings>): Partial<TrafficSettings> {
  const { retryBudget, outlier } = settings;
  return {
    retryBudget: traffic.retryBudget ?? retryBudget ?? null,
    outlier: traffic.outlier ?? outlier ?? null,
  };
}
