import {
  type Balancing,
  type BalancingAlgorithm,
  CLUSTER_DEFAULTS,
  type OriginatedTls,
  OUTLIER_DEFAULTS,
  type PoolLimits,
  type PoolSettings,
} from '../../model/cluster.js';
import {
  type BalancerSettings,
  type ClientTls,
  type DestinationPolicy,
  type OutlierSettings,
  objectName,
  type PlaceSettings,
  type PortTraffic,
  type TrafficSettings,
} from '../../model/policies.js';
import type { HashPolicy } from '../../model/route.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource } from '../resource.js';
import { fullHost, visibleTo } from '../words.js';
import type {
  ConnectionPoolSpec,
  DestinationRule,
  LoadBalancerSpec,
  OutlierSpec,
  PortSettings,
  TlsSpec,
  TrafficPolicySpec,
} from './destination-rule.js';

export function destinationPoliciesOf(resources: readonly Resource[]): DestinationPolicy[] {
  return ofKind<DestinationRule>(resources, 'istio', 'DestinationRule').map((rule) => ({
    object: rule,
    host: fullHost(rule.spec.host, rule.namespace),
    visibleTo: visibleTo(rule.spec.exportTo, rule.namespace),
    callers: rule.spec.workloadSelector?.matchLabels ?? null,
    created: rule.created,
    traffic: trafficOf(rule.spec.trafficPolicy, objectName(rule)),
    subsets: (rule.spec.subsets ?? []).map((subset) => ({
      name: subset.name,
      labels: subset.labels ?? {},
      traffic: trafficOf(subset.trafficPolicy, objectName(rule)),
      source: sourceOf(subset),
    })),
  }));
}

function trafficOf(policy: TrafficPolicySpec | undefined, object: string): PortTraffic | null {
  if (policy === undefined) return null;
  const ports = (policy.portLevelSettings ?? []).flatMap((entry) =>
    entry.port?.number === undefined ? [] : [{ port: entry.port.number, settings: settingsOf(entry, object) }],
  );
  return { ...settingsOf(policy, object), ports };
}

function settingsOf(
  { connectionPool, loadBalancer, outlierDetection, tls, retryBudget }: PortSettings,
  object: string,
): TrafficSettings {
  return {
    pool: connectionPool === undefined ? null : poolOf(connectionPool),
    balancer: loadBalancer === undefined ? null : balancerOf(loadBalancer),
    outlier: outlierDetection === undefined ? null : outlierOf(outlierDetection),
    tls: tls === undefined ? null : tlsOf(tls, object),
    retryBudget:
      retryBudget === undefined
        ? null
        : { kind: 'concurrent', percent: retryBudget.percent ?? 20, minimum: retryBudget.minRetryConcurrency ?? 3 },
  };
}

/** 0 = as if not said (proto3); a duration of 0 switches off. */
function poolOf({ tcp, http }: ConnectionPoolSpec): PoolSettings {
  const most = (value: number | undefined): number | null => (value === undefined || value === 0 ? null : value);
  const limits: PoolLimits = {
    maxConnections: most(tcp?.maxConnections),
    maxPendingRequests: most(http?.http1MaxPendingRequests),
    maxRequests: most(http?.http2MaxRequests),
    maxRetries: most(http?.maxRetries),
    maxRequestsPerConnection: most(http?.maxRequestsPerConnection),
    // Where HTTP says nothing of its own, TCP speaks for it (istio pilot/pkg/networking/core, cluster_traffic_policy.go).
    idleTimeoutMs: most(http?.idleTimeout ?? tcp?.idleTimeout),
    ...(tcp?.idleTimeout === undefined ? {} : { tcpIdleTimeoutMs: tcp.idleTimeout }),
    maxConnectionDurationMs: most(tcp?.maxConnectionDuration),
  };
  return { limits, connectTimeoutMs: most(tcp?.connectTimeout) };
}

function balancerOf(spec: LoadBalancerSpec): BalancerSettings {
  const { warmup, warmupDurationSecs } = spec;
  const windowMs = warmup?.duration ?? warmupDurationSecs;
  const algorithm = algorithmOf(spec);
  const balancing: Balancing = {
    ...CLUSTER_DEFAULTS.balancing,
    algorithm,
    // Istio says it to these two alone (pilot/pkg/networking/core/cluster_traffic_policy.go).
    slowStart:
      windowMs === undefined || !(algorithm.kind === 'round-robin' || algorithm.kind === 'least-request')
        ? null
        : { windowMs, minimumPercent: warmup?.minimumPercent ?? 10, aggression: warmup?.aggression ?? 1 },
  };
  return {
    balancing,
    hash: spec.consistentHash === undefined ? [] : hashOf(spec.consistentHash),
    ...(spec.localityLbSetting === undefined ? {} : { places: placesOf(spec.localityLbSetting) }),
  };
}

function placesOf(spec: NonNullable<LoadBalancerSpec['localityLbSetting']>): PlaceSettings {
  const { enabled = true, distribute = [], failover = [], failoverPriority = [] } = spec;
  return { enabled, distribute, failover, failoverPriority };
}

function algorithmOf({ simple, consistentHash }: LoadBalancerSpec): BalancingAlgorithm {
  if (consistentHash !== undefined) {
    const { maglev, ringHash, minimumRingSize } = consistentHash;
    if (maglev !== undefined) return { kind: 'maglev', tableSize: maglev.tableSize ?? 65_537 };
    const least = ringHash?.minimumRingSize ?? minimumRingSize ?? 1_024;
    return { kind: 'ring-hash', minimumRingSize: least === 0 ? 1_024 : least, maximumRingSize: 8_388_608 };
  }
  switch (simple) {
    case 'ROUND_ROBIN':
      return { kind: 'round-robin' };
    case 'RANDOM':
      return { kind: 'random' };
    default:
      return { kind: 'least-request', choices: 2 };
  }
}

function hashOf(spec: NonNullable<LoadBalancerSpec['consistentHash']>): HashPolicy[] {
  const { httpHeaderName, httpCookie, useSourceIp, httpQueryParameterName } = spec;
  if (httpHeaderName !== undefined) return [{ kind: 'header', name: httpHeaderName.toLowerCase(), terminal: false }];
  if (httpCookie !== undefined) {
    const { name, path = '', ttl, attributes = [] } = httpCookie;
    return [
      {
        kind: 'cookie',
        name,
        path,
        ttlSeconds: ttl === undefined ? null : Math.floor(ttl / 1_000),
        attributes: attributes.map((attribute) => ({ name: attribute.name, value: attribute.value ?? '' })),
        terminal: false,
      },
    ];
  }
  if (useSourceIp === true) return [{ kind: 'source-ip', terminal: false }];
  if (httpQueryParameterName !== undefined) return [{ kind: 'query', name: httpQueryParameterName, terminal: false }];
  return [];
}

function outlierOf(spec: OutlierSpec): OutlierSettings {
  return {
    ejection: {
      ...OUTLIER_DEFAULTS,
      consecutive5xx: spec.consecutive5xxErrors ?? OUTLIER_DEFAULTS.consecutive5xx,
      consecutiveGatewayErrors: spec.consecutiveGatewayErrors ?? OUTLIER_DEFAULTS.consecutiveGatewayErrors,
      splitLocalOriginErrors: spec.splitExternalLocalOriginErrors ?? false,
      consecutiveLocalOriginFailures:
        spec.consecutiveLocalOriginFailures ?? OUTLIER_DEFAULTS.consecutiveLocalOriginFailures,
      intervalMs: spec.interval ?? OUTLIER_DEFAULTS.intervalMs,
      baseEjectionMs: spec.baseEjectionTime ?? OUTLIER_DEFAULTS.baseEjectionMs,
      maxEjectionPercent:
        spec.maxEjectionPercent === undefined || spec.maxEjectionPercent === 0
          ? OUTLIER_DEFAULTS.maxEjectionPercent
          : spec.maxEjectionPercent,
    },
    minHealthPercent: spec.minHealthPercent ?? 0,
  };
}

/** A `credentialName` is none that sidecars look up: then nothing is encrypted, as in Istio without a workloadSelector. */
function tlsOf(spec: TlsSpec, object: string): ClientTls {
  const source = sourceOf(spec);
  switch (spec.mode) {
    case 'SIMPLE':
    case 'MUTUAL':
      return spec.credentialName === undefined
        ? { mode: 'originate', tls: originatedOf(spec, object), source }
        : { mode: 'disable', source };
    case 'ISTIO_MUTUAL':
      return { mode: 'mesh', names: spec.subjectAltNames ?? [], source };
    default:
      return { mode: 'disable', source };
  }
}

function originatedOf(spec: TlsSpec, object: string): OriginatedTls {
  const { clientCertificate, privateKey, sni, caCertificates = '' } = spec;
  const proves = spec.mode === 'MUTUAL' && clientCertificate !== undefined && privateKey !== undefined;
  return {
    sni: sni === undefined || sni === '' ? null : sni,
    names: spec.subjectAltNames ?? [],
    roots: caCertificates === '' ? { kind: 'system' } : { kind: 'file', path: caCertificates },
    verify: spec.insecureSkipVerify !== true,
    client: proves ? { certificate: clientCertificate, key: privateKey } : null,
    object,
    source: sourceOf(spec),
  };
}
