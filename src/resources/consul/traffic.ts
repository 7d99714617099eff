import {
  type Balancing,
  type BalancingAlgorithm,
  CLUSTER_DEFAULTS,
  OUTLIER_DEFAULTS,
  type PoolLimits,
  type PoolSettings,
} from '../../model/cluster.js';
import { fqdn, NAMESPACE } from '../../model/names.js';
import type { BalancerSettings, DestinationPolicy, OutlierSettings, PortTraffic } from '../../model/policies.js';
import type { HashPolicy } from '../../model/route.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource } from '../resource.js';
import { Chain } from './chain.js';
import type { ServiceDefaults, Upstream } from './defaults.js';
import { clusterOf } from './routes.js';
import type { HashWords, LoadBalancerWords, ServiceResolver } from './routing.js';

/** Consul's own limits where only some are said (Envoy's defaults, which it leaves in force). */
const UPSTREAM_LIMITS: PoolLimits = {
  ...CLUSTER_DEFAULTS.limits,
  maxConnections: 1024,
  maxPendingRequests: 1024,
  maxRequests: 1024,
};

/**
 * What resolvers say of everybody's use of a service, and what a service's defaults say of its own calls: the latter hold
 * together with the former, for its callers alone.
 */
export function consulDestinationsOf(resources: readonly Resource[]): DestinationPolicy[] {
  const chain = new Chain(resources);
  const resolvers = [...chain.resolvers.values()].map((resolver) => resolverPolicy(resolver, chain));
  const callers = ofKind<ServiceDefaults>(resources, 'consul', 'ServiceDefaults').flatMap((defaults) =>
    callerPolicies(defaults, resolvers),
  );
  return [...callers, ...resolvers];
}

function resolverPolicy(resolver: Resource<ServiceResolver>, chain: Chain): DestinationPolicy {
  const { spec, name } = resolver;
  const subsets = Object.entries(spec.subsets ?? {}).map(([subset, { filter }]) => ({
    name: subset,
    labels: {},
    ...(filter == null ? {} : { filter }),
    traffic: null,
    source: sourceOf(spec.subsets ?? {}, subset),
  }));
  const failover = Object.entries(chain.failoverOf(name, spec.failover ?? {})).map(
    ([subset, targets]) => [subset, targets.map(clusterOf)] as const,
  );
  return {
    object: { ...resolver, namespace: NAMESPACE },
    host: fqdn(name),
    visibleTo: null,
    callers: null,
    created: resolver.created,
    traffic: traffic({
      balancer: spec.loadBalancer === undefined ? null : balancerOf(spec.loadBalancer),
      pool:
        (spec.connectTimeout ?? 0) === 0
          ? null
          : { limits: UPSTREAM_LIMITS, connectTimeoutMs: Math.max(1, spec.connectTimeout ?? 0) },
    }),
    subsets,
    ...(failover.length === 0 ? {} : { failover: Object.fromEntries(failover) }),
  };
}

function traffic(some: Partial<PortTraffic>): PortTraffic {
  return { pool: null, balancer: null, outlier: null, tls: null, retryBudget: null, ports: [], ...some };
}

/** One policy for each service that is named or resolved, and one for all others. */
function callerPolicies(
  defaults: Resource<ServiceDefaults>,
  resolvers: readonly DestinationPolicy[],
): DestinationPolicy[] {
  const { upstreamConfig } = defaults.spec;
  if (upstreamConfig === undefined) return [];
  const { defaults: all, overrides = [] } = upstreamConfig;
  const hosts = new Map<string, Upstream>();
  if (all !== undefined) for (const { host } of resolvers) hosts.set(host, all);
  for (const override of overrides)
    hosts.set(fqdn(override.name ?? '', override.namespace ?? NAMESPACE), { ...all, ...override });
  const policy = (host: string, upstream: Upstream): DestinationPolicy => {
    const resolver = resolvers.find((one) => one.host === host);
    const { limits, connectTimeoutMs, passiveHealthCheck } = upstream;
    const own = traffic({
      ...resolver?.traffic,
      ...(limits === undefined && connectTimeoutMs === undefined
        ? {}
        : { pool: poolOf(upstream, resolver?.traffic?.pool?.connectTimeoutMs ?? 5_000) }),
      ...(passiveHealthCheck === undefined ? {} : { outlier: outlierOf(passiveHealthCheck) }),
    });
    return {
      object: { ...defaults, namespace: NAMESPACE },
      host,
      visibleTo: null,
      callers: { app: defaults.name },
      everywhere: true,
      created: defaults.created,
      traffic: own,
      subsets: resolver?.subsets ?? [],
      ...(resolver?.failover === undefined ? {} : { failover: resolver.failover }),
    };
  };
  return [
    ...[...hosts].map(([host, upstream]) => policy(host, upstream)),
    ...(all === undefined ? [] : [policy('*', all)]),
  ];
}

function poolOf({ limits = {}, connectTimeoutMs = 0 }: Upstream, resolved: number): PoolSettings {
  const { maxConnections, maxPendingRequests, maxConcurrentRequests } = limits;
  return {
    connectTimeoutMs: connectTimeoutMs === 0 ? resolved : connectTimeoutMs,
    limits: {
      ...UPSTREAM_LIMITS,
      maxConnections: maxConnections ?? UPSTREAM_LIMITS.maxConnections,
      maxPendingRequests: maxPendingRequests ?? UPSTREAM_LIMITS.maxPendingRequests,
      maxRequests: maxConcurrentRequests ?? UPSTREAM_LIMITS.maxRequests,
    },
  };
}

function outlierOf(check: NonNullable<Upstream['passiveHealthCheck']>): OutlierSettings {
  return {
    minHealthPercent: 0,
    ejection: {
      ...OUTLIER_DEFAULTS,
      // Where it is not enforced nobody is put aside.
      consecutive5xx: check.enforcingConsecutive5xx === 0 ? 0 : check.maxFailures || OUTLIER_DEFAULTS.consecutive5xx,
      intervalMs: check.interval || OUTLIER_DEFAULTS.intervalMs,
      baseEjectionMs: check.baseEjectionTime || OUTLIER_DEFAULTS.baseEjectionMs,
      maxEjectionPercent: check.maxEjectionPercent ?? OUTLIER_DEFAULTS.maxEjectionPercent,
    },
  };
}

function balancerOf(spec: LoadBalancerWords): BalancerSettings {
  const balancing: Balancing = { ...CLUSTER_DEFAULTS.balancing, algorithm: algorithmOf(spec) };
  return { balancing, hash: (spec.hashPolicies ?? []).flatMap(hashOf) };
}

function algorithmOf({ policy, ringHashConfig, leastRequestConfig }: LoadBalancerWords): BalancingAlgorithm {
  switch (policy) {
    case 'random':
      return { kind: 'random' };
    case 'least_request':
      return { kind: 'least-request', choices: leastRequestConfig?.choiceCount || 2 };
    case 'ring_hash':
      return {
        kind: 'ring-hash',
        minimumRingSize: ringHashConfig?.minimumRingSize || 1_024,
        maximumRingSize: ringHashConfig?.maximumRingSize || 8_388_608,
      };
    case 'maglev':
      return { kind: 'maglev', tableSize: 65_537 };
    default:
      return { kind: 'round-robin' };
  }
}

function hashOf({ field, fieldValue = '', sourceIP, terminal = false, cookieConfig }: HashWords): HashPolicy[] {
  if (sourceIP === true) return [{ kind: 'source-ip', terminal }];
  switch (field) {
    case 'header':
      return [{ kind: 'header', name: fieldValue.toLowerCase(), terminal }];
    case 'query_parameter':
      return [{ kind: 'query', name: fieldValue, terminal }];
    case 'cookie': {
      const { session = false, ttl, path = '' } = cookieConfig ?? {};
      const ttlSeconds = session ? 0 : ttl === undefined ? null : Math.floor(ttl / 1_000);
      return [{ kind: 'cookie', name: fieldValue, path, ttlSeconds, attributes: [], terminal }];
    }
    default:
      return [];
  }
}
