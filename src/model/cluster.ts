import type { AppProtocol } from './app-protocol.js';
import type { SourceRef } from './source.js';

/**
 * A named group of endpoints and how it may be used. Shapes and defaults follow Envoy's `config.cluster.v3`; times are
 * milliseconds, shares are percent.
 */
export interface Cluster extends TrafficPolicy {
  /** Envoy-style: `outbound|9080|v2|reviews.default.svc.cluster.local`. */
  readonly name: string;
  readonly service: string;
  readonly subset: string;
  readonly port: number;
  readonly protocol: AppProtocol;
  /** Mutual TLS with the SPIFFE IDs that the server may have (secure naming), or plaintext. */
  readonly tls: ClusterTls | null;
  /** TLS as with any server of the internet, instead; absent = none. */
  readonly originate?: OriginatedTls;
  readonly endpoints: readonly Endpoint[];
  /** Consistent hashing of connections goes by their source address; absent = by chance. */
  readonly hashesSource?: true;
  /** Requests go to the address that the app called. */
  readonly passthrough?: true;
}

export interface ClusterTls {
  /** None = whoever the mesh's authority vouches for (Istio, where no service account is known). */
  readonly spiffeIds: readonly string[];
}

/**
 * TLS that a resource asks for, with no identity of the mesh (Istio's modes SIMPLE and MUTUAL, the Gateway API's
 * BackendTLSPolicy); files are the sidecar's.
 */
export interface OriginatedTls {
  /** Null = the host that the request names. */
  readonly sni: string | null;
  /** Names of which the server's certificate must bear one; none = the request's host where `sni` is null. */
  readonly names: readonly string[];
  readonly roots: Roots;
  readonly verify: boolean;
  /** Files of the own certificate (MUTUAL); null = nothing is proved. */
  readonly client: { readonly certificate: string; readonly key: string } | null;
  /** `DestinationRule default/shop`, and where it says so. */
  readonly object: string;
  readonly source: SourceRef;
}

/** Whose certificates are trusted. `none` = nobody's, since what a resource refers to is not there: no connection comes about. */
export type Roots =
  | { readonly kind: 'system' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'certificates'; readonly pem: string; readonly from: string }
  | { readonly kind: 'none'; readonly why: string };

/** How the endpoints of a cluster are used (Istio's `trafficPolicy`). */
export interface TrafficPolicy {
  readonly balancing: Balancing;
  readonly limits: PoolLimits;
  /** Which endpoints are put aside for what they answer, and for how long; null = none. */
  readonly ejection: EjectionPolicy | null;
  /** How much retries may add to the load; null = only `limits.maxRetries` counts. */
  readonly retryBudget: RetryBudget | null;
  readonly connectTimeoutMs: number;
}

export interface Endpoint {
  /** Address that this sidecar dials: pod IP and app port (Docker), 127.0.0.1 and the peer's inbound port (local). */
  readonly address: string;
  readonly port: number;
  readonly workload: string;
  readonly version: string;
  /** Share of the traffic among its equals, a whole number from 1. */
  readonly weight: number;
  /** 0 is asked first; the next ones as those before them fail (Envoy's priority levels). */
  readonly priority: number;
  /** `region/zone/subzone`, or ''. */
  readonly locality: string;
  /** It speaks mutual TLS where the cluster asks for it; false = plaintext all the same, since no sidecar stands there. */
  readonly tls: boolean;
}

/** How a connection to one endpoint of a cluster is secured; null = it is not (Istio's automatic mTLS decides per endpoint). */
export function tlsTo({ tls }: Pick<Cluster, 'tls'>, endpoint: Pick<Endpoint, 'tls'>): ClusterTls | null {
  return endpoint.tls ? tls : null;
}

export interface Balancing {
  readonly algorithm: BalancingAlgorithm;
  /** New endpoints get their share little by little; null = at once. */
  readonly slowStart: SlowStart | null;
  /** With fewer healthy endpoints than this among those of a priority, all of them are asked; 0 = never. */
  readonly panicPercent: number;
  /** Shares of the localities, by name; null = localities say nothing and endpoints count alone. */
  readonly localityWeights: Readonly<Record<string, number>> | null;
  /** A later priority is asked only once nobody is left before it (Consul's failover); absent = it helps out earlier. */
  readonly lastResort?: true;
}

export type BalancingAlgorithm =
  | { readonly kind: 'round-robin' }
  | { readonly kind: 'random' }
  /** The least busy of some drawn at random. */
  | { readonly kind: 'least-request'; readonly choices: number }
  /** Of two drawn at random the one with the smaller product of latency and requests in flight (Linkerd). */
  | { readonly kind: 'peak-ewma'; readonly defaultRttMs: number; readonly decayMs: number }
  /** Consistent hashing over points on a ring (ketama). */
  | { readonly kind: 'ring-hash'; readonly minimumRingSize: number; readonly maximumRingSize: number }
  /** Consistent hashing over a table (Maglev); its size is a prime. */
  | { readonly kind: 'maglev'; readonly tableSize: number };

export interface SlowStart {
  readonly windowMs: number;
  /** Share of its weight that an endpoint begins with, percent. */
  readonly minimumPercent: number;
  /** 1 = growing evenly, above = faster at first. */
  readonly aggression: number;
}

/** Null = without limit. */
export interface PoolLimits {
  readonly maxConnections: number | null;
  /** Requests that wait for a connection. */
  readonly maxPendingRequests: number | null;
  /** Requests under way, HTTP/1.1 too. */
  readonly maxRequests: number | null;
  /** Retries under way, where the cluster has no budget. */
  readonly maxRetries: number | null;
  /** Then the connection is closed. */
  readonly maxRequestsPerConnection: number | null;
  /** How long an unused connection is kept; null = as the sidecar's limits say. */
  readonly idleTimeoutMs: number | null;
  /** Connections of TCP without a byte for so long are closed, ms; 0 = never, absent = after an hour (Envoy). */
  readonly tcpIdleTimeoutMs?: number;
  readonly maxConnectionDurationMs: number | null;
}

/** What is said of the connections to a destination; null = nothing of the time that they may take to come about. */
export interface PoolSettings {
  readonly limits: PoolLimits;
  readonly connectTimeoutMs: number | null;
}

export type EjectionPolicy = OutlierDetection | FailureAccrual;

/** Envoy's outlier detection. A threshold of 0 is off. */
export interface OutlierDetection {
  readonly kind: 'outlier';
  /** 5xx in a row; failures of our own to reach the endpoint count too unless they are split off. */
  readonly consecutive5xx: number;
  /** 502, 503, 504 in a row. */
  readonly consecutiveGatewayErrors: number;
  readonly splitLocalOriginErrors: boolean;
  /** Failed connects, resets and time-outs in a row, where they are split off. */
  readonly consecutiveLocalOriginFailures: number;
  /** Endpoints far below the average of their success rates are put aside; null = off. */
  readonly successRate: {
    readonly minimumHosts: number;
    /** Per interval. */
    readonly requestVolume: number;
    /** Thousandths of the standard deviation below the average: 1900. */
    readonly stdevFactor: number;
  } | null;
  /** Endpoints that fail more often than this are put aside; null = off. */
  readonly failurePercentage: {
    readonly minimumHosts: number;
    readonly requestVolume: number;
    readonly threshold: number;
  } | null;
  /** Between two sweeps: they bring endpoints back and look at success rates. */
  readonly intervalMs: number;
  /** Times the number of ejections, at most `maxEjectionMs`. */
  readonly baseEjectionMs: number;
  readonly maxEjectionMs: number;
  /** An ejection must fit into this share. */
  readonly maxEjectionPercent: number;
}

/** Linkerd's circuit breaking: an endpoint that fails is left alone, and one request tries whether it is well again. */
export interface FailureAccrual {
  readonly kind: 'accrual';
  /** Failures in a row; 0 = they do not count. */
  readonly maxFailures: number;
  /** Successes of less than this share over a window open the breaker as well; null = off. */
  readonly successRate: {
    readonly threshold: number;
    readonly windowMs: number;
    readonly minimumRequests: number;
  } | null;
  /** The first pause; each failed probe doubles it up to `maxPenaltyMs`. */
  readonly minPenaltyMs: number;
  readonly maxPenaltyMs: number;
  /** Share of the pause that is added at random, 0-1. */
  readonly jitterRatio: number;
}

export type RetryBudget =
  /** Retries under way against requests under way (Envoy, Istio). */
  | { readonly kind: 'concurrent'; readonly percent: number; readonly minimum: number }
  /** Retries against requests over a time (Linkerd, Gateway API). */
  | { readonly kind: 'rate'; readonly percent: number; readonly minimumPerSecond: number; readonly windowMs: number };

/** Istio's defaults of a cluster that no DestinationRule is about. */
export const CLUSTER_DEFAULTS = {
  balancing: {
    algorithm: { kind: 'least-request', choices: 2 },
    slowStart: null,
    panicPercent: 0,
    localityWeights: null,
  },
  limits: {
    maxConnections: null,
    maxPendingRequests: null,
    maxRequests: null,
    maxRetries: null,
    maxRequestsPerConnection: null,
    idleTimeoutMs: null,
    maxConnectionDurationMs: null,
  },
  ejection: null,
  retryBudget: null,
  connectTimeoutMs: 10_000,
  tls: null,
} as const satisfies TrafficPolicy & Partial<Cluster>;

/** An endpoint that counts as much as every other. */
export const ENDPOINT_DEFAULTS = {
  weight: 1,
  priority: 0,
  locality: '',
  tls: true,
} as const satisfies Partial<Endpoint>;

/** Istio's `outlierDetection: {}`. */
export const OUTLIER_DEFAULTS: OutlierDetection = {
  kind: 'outlier',
  consecutive5xx: 5,
  consecutiveGatewayErrors: 0,
  splitLocalOriginErrors: false,
  consecutiveLocalOriginFailures: 5,
  successRate: null,
  failurePercentage: null,
  intervalMs: 10_000,
  baseEjectionMs: 30_000,
  maxEjectionMs: 300_000,
  maxEjectionPercent: 10,
};

/** Linkerd's `balancer.linkerd.io/failure-accrual: consecutive`. */
export const ACCRUAL_DEFAULTS: FailureAccrual = {
  kind: 'accrual',
  maxFailures: 7,
  successRate: null,
  minPenaltyMs: 1_000,
  maxPenaltyMs: 60_000,
  jitterRatio: 0.5,
};
