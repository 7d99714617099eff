import type { RetrySettings } from './app.js';
import { CLUSTER_DEFAULTS, type TrafficPolicy } from './cluster.js';
import type { SidecarLimits, Slashes } from './limits.js';
import type { RoutesBy } from './sidecar-config.js';

/**
 * Istio's default retry policy (since 1.24 without 503): what a route without one of its own gets. Source: istio
 * `pilot/pkg/networking/core/route/retry`.
 */
export const ISTIO_DEFAULT_RETRIES: RetrySettings = {
  attempts: 2,
  retryOn: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', 'retriable-status-codes'],
  perTryTimeoutMs: null,
};

/** Envoy's back-off between tries, ms. */
export const BACKOFF = { baseMs: 25, maxMs: 250 } as const;

/** Whose defaults hold where no policy says anything (spec: the table of differences between the meshes). */
export type FlavorName = 'istio' | 'linkerd' | 'consul';

/** How long a workload's certificate lives, and in which part of its life the next one is asked for. */
export interface CertificateRules {
  readonly lifeMs: number;
  /** Shares of the life, 0-1; a moment between them by chance. */
  readonly renewal: { readonly earliest: number; readonly latest: number };
}

const HOUR = 3_600_000;

/**
 * Istio renews at half of the life (its 24 hours are one here, so that renewals are seen), Linkerd at 70 % of 24 hours,
 * Consul between 60 and 90 % of 72 hours (consul `agent/leafcert`).
 */
const CERTIFICATES: Readonly<Record<FlavorName, CertificateRules>> = {
  istio: { lifeMs: HOUR, renewal: { earliest: 0.45, latest: 0.55 } },
  linkerd: { lifeMs: 24 * HOUR, renewal: { earliest: 0.7, latest: 0.7 } },
  consul: { lifeMs: 72 * HOUR, renewal: { earliest: 0.6, latest: 0.9 } },
};

export interface Flavor {
  readonly name: FlavorName;
  /** `1.23`, where a default changed in a release; null = the newest. */
  readonly version: string | null;
  /** Null = nobody retries unasked. */
  readonly retries: RetrySettings | null;
  /** Of a request as a whole; null = none. */
  readonly timeoutMs: number | null;
  readonly traffic: TrafficPolicy;
  /** Whether plaintext is heard too, where nothing is said (Consul takes none). */
  readonly mtls: 'permissive' | 'strict';
  readonly limits: Partial<SidecarLimits>;
  readonly certificates: CertificateRules;
  /** Connections to ports whose resources do not say what they speak are looked at. */
  readonly detects: boolean;
  /** Ports that count as TCP where nothing says what they speak. */
  readonly opaquePorts: readonly number[];
  /** What a port is taken for that says what nobody knows. */
  readonly unknownProtocol: 'auto' | 'tcp';
  /** What says which service a request is for: its `Host`, or the address that was called. */
  readonly routesBy: RoutesBy;
  /** What callers' sidecars make of slashes in paths; on the callee's side they are merged always. */
  readonly slashes: Slashes;
}

const LINKERD_TRAFFIC: TrafficPolicy = {
  ...CLUSTER_DEFAULTS,
  balancing: { ...CLUSTER_DEFAULTS.balancing, algorithm: { kind: 'peak-ewma', defaultRttMs: 30, decayMs: 10_000 } },
  connectTimeoutMs: 1_000,
};

const CONSUL_TRAFFIC: TrafficPolicy = {
  ...CLUSTER_DEFAULTS,
  balancing: { ...CLUSTER_DEFAULTS.balancing, algorithm: { kind: 'round-robin' } },
  limits: { ...CLUSTER_DEFAULTS.limits, maxConnections: 1024, maxPendingRequests: 1024, maxRequests: 1024 },
  connectTimeoutMs: 5_000,
};

const NOTHING = {
  retries: null,
  timeoutMs: null,
  mtls: 'permissive',
  limits: {},
  slashes: 'keep',
  routesBy: 'address',
  detects: false,
  opaquePorts: [],
  unknownProtocol: 'auto',
} as const;

const LINKERD = {
  detects: true,
  opaquePorts: [25, 587, 3306, 4444, 5432, 6379, 9300, 11211],
  unknownProtocol: 'tcp',
  limits: { detectMs: 10_000 },
} as const;

/** Envoy's buffer of a connection, and so the largest body that is sent once more. */
const ENVOY_LIMITS = { replayBytes: 1024 * 1024 };

/** Istio retried a plain 503 until 1.23 (release note 50506). */
const OLD_ISTIO_RETRIES: RetrySettings = {
  ...ISTIO_DEFAULT_RETRIES,
  retryOn: [...ISTIO_DEFAULT_RETRIES.retryOn, '503'],
};

/**
 * Reads `istio`, `linkerd`, `consul` or `istio@1.23`. Throws an Error that says what may be written.
 */
export function flavorOf(text: string): Flavor {
  const match = /^(istio|linkerd|consul)(?:@(\d+\.\d+))?$/.exec(text);
  if (match === null)
    throw new Error(
      `unknown flavor ${JSON.stringify(text)}: istio, linkerd, consul, or one of them with a version, istio@1.23`,
    );
  const [, name, version = null] = match;
  switch (name) {
    case 'linkerd':
      return { name, version, ...NOTHING, ...LINKERD, certificates: CERTIFICATES.linkerd, traffic: LINKERD_TRAFFIC };
    case 'consul':
      return {
        name,
        version,
        ...NOTHING,
        timeoutMs: 15_000,
        mtls: 'strict',
        certificates: CERTIFICATES.consul,
        traffic: CONSUL_TRAFFIC,
        limits: ENVOY_LIMITS,
      };
    default:
      return {
        name: 'istio',
        version,
        retries: version !== null && isBefore(version, [1, 24]) ? OLD_ISTIO_RETRIES : ISTIO_DEFAULT_RETRIES,
        timeoutMs: null,
        traffic: CLUSTER_DEFAULTS,
        mtls: 'permissive',
        certificates: CERTIFICATES.istio,
        limits: ENVOY_LIMITS,
        slashes: 'keep',
        routesBy: 'host',
        detects: true,
        opaquePorts: [25, 53, 3306, 27017],
        unknownProtocol: 'auto',
      };
  }
}

function isBefore(version: string, [major, minor]: readonly [number, number]): boolean {
  const [a = 0, b = 0] = version.split('.').map(Number);
  return a < major || (a === major && b < minor);
}

/** `istio`, `istio@1.23` */
export function flavorText({ name, version }: Flavor): string {
  return version === null ? name : `${name}@${version}`;
}

export const ISTIO: Flavor = flavorOf('istio');
