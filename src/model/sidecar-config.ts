import type { AppProtocol } from './app.js';
import type { Fault } from './fault.js';

/**
 * Everything that one sidecar obeys, compiled by `compiler/` and pushed whole. Shapes follow Envoy's: listeners,
 * virtual hosts, routes, clusters, endpoints. Policy is data; the code that obeys it lives in `proxy/`.
 */
export interface SidecarConfig {
  /** Snapshot version; strictly growing. A sidecar never goes back. */
  readonly version: number;
  readonly workload: WorkloadIdentity;
  readonly trustDomain: string;
  /** Sandbox seed; with the request id and a purpose it decides every chance (DESIGN §5). */
  readonly seed: number;
  readonly role: SidecarRole;
  readonly inbound: InboundConfig;
  readonly outbound: OutboundConfig;
  /** Full Exchange records sent per second at most; metrics stay complete beyond it. */
  readonly exchangesPerSecond: number;
}

export type SidecarRole = 'sidecar' | 'gateway';
export type MtlsMode = 'disable' | 'permissive' | 'strict';

export interface WorkloadIdentity {
  readonly name: string;
  readonly app: string;
  readonly version: string;
  readonly spiffeId: string;
}

export interface InboundConfig {
  readonly mtls: MtlsMode;
  readonly ports: readonly { readonly port: number; readonly protocol: AppProtocol }[];
  /** Faults that act at this workload, in the order in which they are tried. */
  readonly faults: readonly Fault[];
  /** SPIFFE ID → who may be meant by it, so that faults and records may name callers. */
  readonly callers: Readonly<Record<string, { readonly app: string; readonly workloads: readonly string[] }>>;
}

export interface OutboundConfig {
  /** What this workload may call, by virtual IP and port (Docker) or own loopback port (local). */
  readonly listeners: readonly OutboundListener[];
  readonly virtualHosts: readonly VirtualHost[];
  readonly clusters: readonly Cluster[];
  /** Istio's `outboundTrafficPolicy`: what happens to hosts nobody declared. */
  readonly unknownHosts: 'allow-any' | 'registry-only';
}

export interface OutboundListener {
  readonly service: string;
  readonly virtualIp: string;
  readonly port: number;
  readonly protocol: AppProtocol;
}

/** All routes of one host name and port; domains are lower-case, without port. */
export interface VirtualHost {
  readonly name: string;
  readonly port: number;
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
}

export interface Route {
  readonly name: string;
  readonly match: RouteMatch;
  /** Weighted clusters; one entry = all. */
  readonly clusters: readonly { readonly cluster: string; readonly weight: number }[];
  readonly timeoutMs: number | null;
  readonly retry: RetryPolicy | null;
}

export interface RouteMatch {
  /** Plain-string prefix, as Istio's; `/` = every path. */
  readonly prefix: string;
  readonly headers: readonly { readonly name: string; readonly exact: string }[];
}

export interface RetryPolicy {
  /** Retries after the first try. */
  readonly attempts: number;
  readonly retryOn: readonly RetryCondition[];
  readonly retriableStatusCodes: readonly number[];
  readonly perTryTimeoutMs: number | null;
  /** Full jitter: random in [0, min(2^n - 1) × base, max)). Envoy: 25 and 250 ms. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** Where it comes from, for explanations: `Istio's default`, `x-mesh.services.ratings`. */
  readonly origin: string;
}

/** The words of Envoy's `x-envoy-retry-on` that apply to HTTP/1.1 today. */
export const RETRY_CONDITIONS = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'refused-stream',
  'retriable-4xx',
  'retriable-status-codes',
  'unavailable',
  'cancelled',
] as const;

export type RetryCondition = (typeof RETRY_CONDITIONS)[number];

export interface Cluster {
  /** Envoy-style: `outbound|9080|v2|reviews.default.svc.cluster.local`. */
  readonly name: string;
  readonly service: string;
  readonly subset: string;
  readonly port: number;
  readonly protocol: AppProtocol;
  readonly balancer: 'LEAST_REQUEST' | 'ROUND_ROBIN';
  readonly connectTimeoutMs: number;
  /** Mutual TLS with the SPIFFE IDs that the server may have (secure naming), or plaintext. */
  readonly tls: { readonly spiffeIds: readonly string[] } | null;
  readonly endpoints: readonly Endpoint[];
}

export interface Endpoint {
  /** Address that this sidecar dials: pod IP and app port (Docker), 127.0.0.1 and the peer's inbound port (local). */
  readonly address: string;
  readonly port: number;
  readonly workload: string;
  readonly version: string;
}
