import type { AppProtocol } from './app.js';
import type { Authorization, TokenRule } from './authorization.js';
import type { Cluster, PoolSettings } from './cluster.js';
import type { Fault } from './fault.js';
import type { InboundRoute } from './inbound-route.js';
import type { SidecarLimits, Slashes } from './limits.js';
import type { Propagation } from './propagation.js';
import type { RateLimit } from './rate-limit.js';
import type { Route, RouteOrigin } from './route.js';

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
  readonly limits: SidecarLimits;
  /** Share of the traces begun here that are sampled, 0-100; absent = all. */
  readonly samplePercent?: number;
  /** Field in which answers of the proxy's own say why they are given; absent = none. */
  readonly errorField?: 'l5d-proxy-error';
  /** Full Exchange records sent per second at most; metrics stay complete beyond it. */
  readonly exchangesPerSecond: number;
}

export type SidecarRole = 'sidecar' | 'gateway';
export type MtlsMode = 'disable' | 'permissive' | 'strict';
/** `registry-only` is answered as Istio does, `denied` as Linkerd does. */
export type UnknownHosts = 'allow-any' | 'registry-only' | 'denied';

/** `address`: a service's address decides where there is one, whatever the request's `Host` says (Linkerd, Consul). */
export type RoutesBy = 'host' | 'address';

export interface WorkloadIdentity {
  readonly name: string;
  readonly app: string;
  readonly version: string;
  readonly spiffeId: string;
}

export interface InboundConfig {
  readonly mtls: MtlsMode;
  /** Where a port asks something else of its callers. */
  readonly portMtls?: Readonly<Record<number, MtlsMode>>;
  readonly ports: readonly { readonly port: number; readonly protocol: AppProtocol }[];
  /** By port, how much its app is asked for at once, whoever calls; absent = without limit (Istio's inbound clusters). */
  readonly pools?: Readonly<Record<number, PoolSettings>>;
  /** Faults that act at this workload, in the order in which they are tried. */
  readonly faults: readonly Fault[];
  readonly rateLimits: readonly RateLimit[];
  /** Who may call; absent = everybody. */
  readonly authorization?: Authorization;
  /** By port, what becomes of requests that are let in; absent = they go to the app as they are. */
  readonly routes?: Readonly<Record<number, readonly InboundRoute[]>>;
  /** Whose tokens are believed; absent = nobody looks at tokens. */
  readonly tokens?: readonly TokenRule[];
  /** SPIFFE ID → who may be meant by it, so that faults and records may name callers. */
  readonly callers: Readonly<Record<string, KnownCaller>>;
  /** Field that tells the app who calls; absent = Envoy's `x-forwarded-client-cert`. */
  readonly callerField?: 'l5d-client-id';
  /** Nothing tells the app who calls. */
  readonly hidesCaller?: true;
}

/** Who may be meant by an identity. */
export interface KnownCaller {
  readonly app: string;
  readonly workloads: readonly string[];
  /** What policies call it beside its identity, as {@link accountName} has it. */
  readonly accounts?: readonly string[];
}

export interface OutboundConfig {
  /** What this workload may call, by virtual IP and port (Docker) or own loopback port (local). */
  readonly listeners: readonly OutboundListener[];
  readonly virtualHosts: readonly VirtualHost[];
  readonly clusters: readonly Cluster[];
  /** Faults of the connections to others, in the order in which they are tried. */
  readonly faults: readonly Fault[];
  readonly propagation: Propagation;
  /** Istio's `outboundTrafficPolicy`: what happens to hosts nobody declared. */
  readonly unknownHosts: UnknownHosts;
  /** What says which service a request is for; absent = its `Host`. */
  readonly routesBy?: RoutesBy;
  /** What becomes of slashes in paths of the own app, on which nothing is authorised here; absent = `merge`. */
  readonly slashes?: Slashes;
}

export interface OutboundListener {
  readonly service: string;
  readonly virtualIp: string;
  readonly port: number;
  readonly protocol: AppProtocol;
  /** Where connections of a TCP service go, the first that is met; absent or none met = to all that it stands for. */
  readonly streams?: readonly StreamRoute[];
}

/** Shares of connections, and the rule that says so. */
export interface StreamRoute {
  /** Met by TLS alone, and that asks for one of these names (`*.example.com`, `*`); absent = by all. */
  readonly sni?: readonly string[];
  readonly clusters: readonly { readonly cluster: string; readonly weight: number }[];
  readonly origin: RouteOrigin;
}

/** All routes of one host name and port; domains are lower-case, without port: names, `*.suffix`, or `*` for the rest. */
export interface VirtualHost {
  readonly name: string;
  readonly port: number;
  readonly domains: readonly string[];
  readonly routes: readonly Route[];
}
