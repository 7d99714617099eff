import {
  ACCRUAL_DEFAULTS,
  type Balancing,
  type BalancingAlgorithm,
  CLUSTER_DEFAULTS,
  type EjectionPolicy,
  type FailureAccrual,
  OUTLIER_DEFAULTS,
  type OutlierDetection,
  type PoolLimits,
  type RetryBudget,
  type SlowStart,
} from '../model/cluster.js';
import { duration, flag, map, number, oneOf, percent, type Reader, record, table, whole } from '../yaml/readers.js';
import { shortOr } from '../yaml/route-match.js';

/** How the endpoints of a service are used: `balancer` and its neighbours, in Istio's and Linkerd's words. */

const ALGORITHMS: Readonly<Record<string, BalancingAlgorithm>> = {
  LEAST_REQUEST: { kind: 'least-request', choices: 2 },
  ROUND_ROBIN: { kind: 'round-robin' },
  RANDOM: { kind: 'random' },
  PEAK_EWMA: { kind: 'peak-ewma', defaultRttMs: 30, decayMs: 10_000 },
  RING_HASH: { kind: 'ring-hash', minimumRingSize: 1_024, maximumRingSize: 8_388_608 },
  MAGLEV: { kind: 'maglev', tableSize: 65_537 },
};

const readAlgorithm: Reader<BalancingAlgorithm> = map(
  oneOf(Object.keys(ALGORITHMS)),
  (name) => ALGORITHMS[name] as BalancingAlgorithm,
);

const readSlowStart: Reader<SlowStart> = map(
  table<{ window: number; minimumPercent: number; aggression: number }>({
    window: duration,
    minimumPercent: percent,
    aggression: number(0.01, 100),
  }),
  ({ window = 60_000, minimumPercent = 10, aggression = 1 }) => ({ windowMs: window, minimumPercent, aggression }),
);

/** A name, or a mapping with the name and what goes with it. */
export const readBalancer: Reader<Balancing> = shortOr(
  map(readAlgorithm, (algorithm) => ({ ...CLUSTER_DEFAULTS.balancing, algorithm })),
  map(
    table<Omit<Balancing, 'lastResort'>>({
      algorithm: readAlgorithm,
      slowStart: readSlowStart,
      panicPercent: percent,
      localityWeights: record(whole(0, 1_000_000)),
    }),
    (read) => ({ ...CLUSTER_DEFAULTS.balancing, ...read }),
  ),
);

interface PoolWords {
  maxConnections: number;
  maxPendingRequests: number;
  maxRequests: number;
  maxRetries: number;
  maxRequestsPerConnection: number;
  idleTimeout: number;
  maxConnectionDuration: number;
  connectTimeout: number;
}

const count = whole(0, 4_294_967_295);

export const readPool: Reader<{ limits: PoolLimits; connectTimeoutMs: number }> = map(
  table<PoolWords>({
    maxConnections: whole(1, 4_294_967_295),
    maxPendingRequests: count,
    maxRequests: count,
    maxRetries: count,
    maxRequestsPerConnection: whole(1, 4_294_967_295),
    idleTimeout: duration,
    maxConnectionDuration: duration,
    connectTimeout: duration,
  }),
  ({ idleTimeout, maxConnectionDuration, connectTimeout, ...limits }) => ({
    limits: {
      ...CLUSTER_DEFAULTS.limits,
      ...limits,
      idleTimeoutMs: idleTimeout ?? null,
      maxConnectionDurationMs: maxConnectionDuration ?? null,
    },
    connectTimeoutMs: connectTimeout ?? CLUSTER_DEFAULTS.connectTimeoutMs,
  }),
);

interface OutlierWords {
  consecutive5xxErrors: number;
  consecutiveGatewayErrors: number;
  splitExternalLocalOriginErrors: boolean;
  consecutiveLocalOriginFailures: number;
  interval: number;
  baseEjectionTime: number;
  maxEjectionTime: number;
  maxEjectionPercent: number;
  successRate: NonNullable<OutlierDetection['successRate']>;
  failurePercentage: NonNullable<OutlierDetection['failurePercentage']>;
}

/** `outlierDetection`, as in a DestinationRule; success rates as Envoy has them. */
export const readOutlierDetection: Reader<EjectionPolicy> = map(
  table<OutlierWords>({
    consecutive5xxErrors: count,
    consecutiveGatewayErrors: count,
    splitExternalLocalOriginErrors: flag,
    consecutiveLocalOriginFailures: count,
    interval: duration,
    baseEjectionTime: duration,
    maxEjectionTime: duration,
    maxEjectionPercent: percent,
    successRate: map(
      table<{ minimumHosts: number; requestVolume: number; stdevFactor: number }>({
        minimumHosts: count,
        requestVolume: count,
        stdevFactor: count,
      }),
      (read) => ({ minimumHosts: 5, requestVolume: 100, stdevFactor: 1_900, ...read }),
    ),
    failurePercentage: map(
      table<{ minimumHosts: number; requestVolume: number; threshold: number }>({
        minimumHosts: count,
        requestVolume: count,
        threshold: percent,
      }),
      (read) => ({ minimumHosts: 5, requestVolume: 50, threshold: 85, ...read }),
    ),
  }),
  (read) => ({
    ...OUTLIER_DEFAULTS,
    consecutive5xx: read.consecutive5xxErrors ?? OUTLIER_DEFAULTS.consecutive5xx,
    consecutiveGatewayErrors: read.consecutiveGatewayErrors ?? OUTLIER_DEFAULTS.consecutiveGatewayErrors,
    splitLocalOriginErrors: read.splitExternalLocalOriginErrors ?? false,
    consecutiveLocalOriginFailures:
      read.consecutiveLocalOriginFailures ?? OUTLIER_DEFAULTS.consecutiveLocalOriginFailures,
    intervalMs: read.interval ?? OUTLIER_DEFAULTS.intervalMs,
    baseEjectionMs: read.baseEjectionTime ?? OUTLIER_DEFAULTS.baseEjectionMs,
    maxEjectionMs: read.maxEjectionTime ?? OUTLIER_DEFAULTS.maxEjectionMs,
    maxEjectionPercent: read.maxEjectionPercent ?? OUTLIER_DEFAULTS.maxEjectionPercent,
    successRate: read.successRate ?? null,
    failurePercentage: read.failurePercentage ?? null,
  }),
);

interface AccrualWords {
  maxFailures: number;
  minPenalty: number;
  maxPenalty: number;
  jitterRatio: number;
  successRate: NonNullable<FailureAccrual['successRate']>;
}

/** `failureAccrual`, as Linkerd's annotations have it. */
export const readFailureAccrual: Reader<EjectionPolicy> = map(
  table<AccrualWords>({
    maxFailures: count,
    minPenalty: duration,
    maxPenalty: duration,
    jitterRatio: number(0, 100),
    successRate: map(
      table<{ threshold: number; window: number; minRequests: number }>({
        threshold: number(0, 1),
        window: duration,
        minRequests: whole(1, 1_000_000),
      }),
      ({ threshold = 0.8, window = 10_000, minRequests = 5 }) => ({
        threshold,
        windowMs: window,
        minimumRequests: minRequests,
      }),
    ),
  }),
  ({ minPenalty, maxPenalty, ...read }) => ({
    ...ACCRUAL_DEFAULTS,
    ...read,
    minPenaltyMs: minPenalty ?? ACCRUAL_DEFAULTS.minPenaltyMs,
    maxPenaltyMs: maxPenalty ?? ACCRUAL_DEFAULTS.maxPenaltyMs,
  }),
);

/** With `minRetryConcurrency` a budget of what is under way (Istio), with `minPerSecond` one over time (Linkerd). */
export const readRetryBudget: Reader<RetryBudget> = map(
  table<{ percent: number; minRetryConcurrency: number; minPerSecond: number; window: number }>({
    percent,
    minRetryConcurrency: count,
    minPerSecond: number(0, 1_000_000),
    window: duration,
  }),
  (read): RetryBudget =>
    read.minPerSecond === undefined && read.window === undefined
      ? { kind: 'concurrent', percent: read.percent ?? 20, minimum: read.minRetryConcurrency ?? 3 }
      : {
          kind: 'rate',
          percent: read.percent ?? 20,
          minimumPerSecond: read.minPerSecond ?? 10,
          windowMs: read.window ?? 10_000,
        },
);
