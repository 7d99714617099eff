import { selects } from '../model/app.js';
import type { Cluster, TrafficPolicy } from '../model/cluster.js';
import {
  type ClientTls,
  type DestinationPolicy,
  type PortTraffic,
  ROOT_NAMESPACE,
  type SubsetPolicy,
  type TrafficSettings,
} from '../model/policies.js';
import type { HashPolicy } from '../model/route.js';
import type { Caller } from './caller.js';
import { aboutHost } from './lookup.js';

/** What holds for a caller's use of one host: the settings of all of it, and its subsets by name. */
export interface DestinationRules {
  readonly policy: DestinationPolicy;
  readonly subsets: readonly SubsetPolicy[];
}

/**
 * The DestinationRule in force for a caller and a host: of its own namespace, else of the service's, else of the mesh's root
 * namespace; there the most specific host, then the oldest. Others of the same namespace and host add their subsets
 * (Istio merges them).
 */
export function rulesFor(
  host: string,
  serviceNamespace: string,
  caller: Caller,
  all: readonly DestinationPolicy[],
): DestinationRules | null {
  const about = aboutHost(host, all, (policy) => [policy.host]);
  // What the root namespace says is what holds for all, also for who lives there (istio `PushContext.destinationRule`).
  const own = caller.namespace === ROOT_NAMESPACE ? [] : [caller.namespace];
  for (const namespace of new Set([...own, serviceNamespace, ROOT_NAMESPACE])) {
    const found = about.filter(
      (policy) =>
        (policy.object.namespace === namespace || policy.everywhere === true) &&
        (policy.visibleTo === null || policy.visibleTo.includes(caller.namespace)) &&
        (policy.callers === null || (namespace === caller.namespace && selects(policy.callers, caller.labels))),
    );
    const best = found.toSorted(bySpecificity)[0];
    if (best === undefined) continue;
    const same = found.filter((policy) => policy.host === best.host && sameCallers(policy, best)).toSorted(byAge);
    const subsets = new Map<string, SubsetPolicy>();
    for (const subset of same.flatMap((policy) => policy.subsets))
      if (!subsets.has(subset.name)) subsets.set(subset.name, subset);
    // The oldest that says anything of the whole host speaks for it.
    const policy = same.find(({ traffic }) => traffic !== null) ?? best;
    return { policy, subsets: [...subsets.values()] };
  }
  return null;
}

function bySpecificity(a: DestinationPolicy, b: DestinationPolicy): number {
  const selecting = Number(b.callers !== null) - Number(a.callers !== null);
  return selecting || specificity(b.host) - specificity(a.host) || byAge(a, b);
}

/** A full name before any wildcard, a longer wildcard before a shorter one. */
export function specificity(host: string): number {
  return host.startsWith('*') ? host.length : 1_000 + host.length;
}

function byAge(a: DestinationPolicy, b: DestinationPolicy): number {
  return a.created - b.created || (a.object.name < b.object.name ? -1 : 1);
}

function sameCallers(a: DestinationPolicy, b: DestinationPolicy): boolean {
  return JSON.stringify(a.callers) === JSON.stringify(b.callers);
}

const NOTHING: TrafficSettings = { pool: null, balancer: null, outlier: null, tls: null, retryBudget: null };

/** What is said of one port takes the place of all the rest (Istio's portLevelSettings). */
function onPort(traffic: PortTraffic | null, port: number): TrafficSettings {
  if (traffic === null) return NOTHING;
  return traffic.ports.find((entry) => entry.port === port)?.settings ?? traffic;
}

/** The settings of a port: those of a subset go before those of the whole host, group by group. */
export function settingsOn(rules: DestinationRules | null, subset: SubsetPolicy | null, port: number): TrafficSettings {
  const whole = onPort(rules?.policy.traffic ?? null, port);
  const own = onPort(subset?.traffic ?? null, port);
  // What a subset says of a port is all that there is to say of it (Istio's MergeSubsetTrafficPolicy).
  if (subset?.traffic?.ports.some((entry) => entry.port === port) === true)
    return { ...own, retryBudget: own.retryBudget ?? whole.retryBudget };
  return {
    pool: own.pool ?? whole.pool,
    balancer: own.balancer ?? whole.balancer,
    outlier: own.outlier ?? whole.outlier,
    tls: own.tls ?? whole.tls,
    retryBudget: own.retryBudget ?? whole.retryBudget,
  };
}

/** A cluster's traffic policy: what is said, over what the mesh does by itself. */
export function trafficOf(settings: TrafficSettings, defaults: TrafficPolicy): TrafficPolicy {
  const { pool, balancer, outlier, retryBudget } = settings;
  const balancing = balancer?.balancing ?? defaults.balancing;
  return {
    balancing: outlier === null ? balancing : { ...balancing, panicPercent: outlier.minHealthPercent },
    limits: pool?.limits ?? defaults.limits,
    ejection: outlier?.ejection ?? defaults.ejection,
    retryBudget: retryBudget ?? defaults.retryBudget,
    connectTimeoutMs: pool?.connectTimeoutMs ?? defaults.connectTimeoutMs,
  };
}

/**
 * By what a route's requests are hashed. A route that names no port does not see what is said of ports (Istio computes
 * it from the destination as written).
 */
export function hashFor(
  rules: DestinationRules | null,
  subsetName: string,
  port: number | null,
): readonly HashPolicy[] {
  if (rules === null) return [];
  const subset = rules.subsets.find(({ name }) => name === subsetName)?.traffic ?? null;
  const whole = rules.policy.traffic;
  const said = [portHash(subset, port), subset?.balancer?.hash, portHash(whole, port), whole?.balancer?.hash];
  return said.find((hash) => hash !== undefined && hash.length > 0) ?? [];
}

function portHash(traffic: PortTraffic | null, port: number | null): readonly HashPolicy[] | undefined {
  return traffic?.ports.find((entry) => entry.port === port)?.settings.balancer?.hash;
}

/** How a cluster's connections are secured: as a rule says, else by themselves with the mesh's identities. */
export function securityOf(
  said: ClientTls | null,
  identities: readonly string[],
  { inMesh, automatic }: { readonly inMesh: boolean; readonly automatic: boolean },
): Pick<Cluster, 'tls' | 'originate'> {
  if (said?.mode === 'originate') return { tls: null, originate: said.tls };
  if (!inMesh || said?.mode === 'disable' || (said === null && !automatic)) return { tls: null };
  // Names that the rule lists take the place of those that are known (Istio, cluster_tls.go).
  const listed = said?.names ?? [];
  return { tls: { spiffeIds: listed.length > 0 ? listed : identities } };
}
