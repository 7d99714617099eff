import { type ServiceSpec, type SourceRef, selects } from './app.js';
import type { AppProtocol } from './app-protocol.js';
import type { AccessRule, Authorizer, TokenRule } from './authorization.js';
import type { Balancing, EjectionPolicy, OriginatedTls, PoolSettings, RetryBudget } from './cluster.js';
import type { Fault } from './fault.js';
import type { InboundRoute } from './inbound-route.js';
import { fits, type LabelFilter } from './label-filter.js';
import type { RateLimit } from './rate-limit.js';
import type { HashPolicy, Route, RouteOrigin } from './route.js';
import type { MtlsMode, UnknownHosts } from './sidecar-config.js';

/**
 * What the team's resources say, in one language for all dialects. Readers in `resources/` make it; the compiler turns it
 * into what each sidecar obeys. Host names are full (`reviews.default.svc.cluster.local`, `*.example.com`, `*`).
 */
export interface Policies {
  /** Kubernetes Services and ServiceEntries; one whose host the app has already replaces it. */
  readonly services: readonly ServiceSpec[];
  readonly routeSets: readonly RouteSet[];
  /** Where connections go that are no requests. */
  readonly streams: readonly StreamRoutes[];
  readonly protocols: readonly ProtocolPolicy[];
  readonly destinations: readonly DestinationPolicy[];
  readonly egress: readonly EgressPolicy[];
  readonly gateways: readonly GatewayPolicy[];
  readonly peerAuthentication: readonly PeerAuthenticationPolicy[];
  readonly faults: readonly Fault[];
  readonly rateLimits: readonly RateLimitPolicy[];
  readonly authorization: readonly AuthorizationPolicy[];
  readonly external: readonly ExternalPolicy[];
  readonly authorizers: readonly Authorizer[];
  readonly portAccess: readonly PortAccess[];
  readonly opaquePorts: readonly OpaquePorts[];
  readonly tokens: readonly TokenPolicy[];
  readonly telemetry: readonly TelemetryPolicy[];
  /** No app is told who calls (Consul's `sanitizeXForwardedClientCert`). */
  readonly callersHidden: boolean;
}

export const NO_POLICIES: Policies = {
  services: [],
  routeSets: [],
  streams: [],
  protocols: [],
  destinations: [],
  egress: [],
  gateways: [],
  peerAuthentication: [],
  faults: [],
  rateLimits: [],
  authorization: [],
  external: [],
  authorizers: [],
  portAccess: [],
  opaquePorts: [],
  tokens: [],
  telemetry: [],
  callersHidden: false,
};

/** One resource, by what people call it and where it stands. */
export interface ObjectRef {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly source: SourceRef;
}

/** `VirtualService default/reviews` */
export function objectName({ kind, namespace, name }: Pick<ObjectRef, 'kind' | 'namespace' | 'name'>): string {
  return `${kind} ${namespace}/${name}`;
}

/** The resource namespace whose policies hold for the whole mesh (Istio's root namespace). */
export const ROOT_NAMESPACE = 'istio-system';

/** Routes that one resource, or several merged ones, lay on hosts: as a whole it is in force for a host or it is not. */
export interface RouteSet {
  readonly object: ObjectRef;
  readonly hosts: readonly string[];
  /** Port of the service; null = each of them. */
  readonly port: number | null;
  /** `mesh` = sidecars; else what a {@link GatewayPolicy} is bound as. */
  readonly gateways: readonly string[];
  /** Ports where it is not in force, since routes of a closer kind are (Linkerd); absent = none. */
  readonly exceptPorts?: readonly number[];
  /** Namespaces of callers for whom it exists; null = all. */
  readonly visibleTo: readonly string[] | null;
  /** For callers of this namespace it goes before what is older (Gateway API), `*` = for all; null = age alone decides. */
  readonly firstFor: string | null;
  /** Epoch ms. */
  readonly created: number;
  /** In the order in which they are asked. */
  readonly rules: readonly RouteRule[];
}

/**
 * A route and for whom it is meant. Its clusters are named as Envoy's are, the port left out where the resource names none:
 * `outbound||v2|reviews.default.svc.cluster.local`.
 */
export interface RouteRule {
  readonly route: Route;
  /** The mesh's default retries take the place of its own. */
  readonly defaultRetries: boolean;
  readonly scope: RuleScope;
}

export interface RuleScope {
  /** Null = those of the set. */
  readonly gateways: readonly string[] | null;
  readonly sourceLabels: Readonly<Record<string, string>>;
  readonly sourceNamespace: string | null;
  readonly port: number | null;
}

export const ANY_CALLER: RuleScope = { gateways: null, sourceLabels: {}, sourceNamespace: null, port: null };

/** Rules of one resource for connections to hosts (Istio's `tcp` and `tls`): the first that is meant for a caller decides. */
export interface StreamRoutes {
  readonly object: ObjectRef;
  readonly hosts: readonly string[];
  readonly gateways: readonly string[];
  readonly visibleTo: readonly string[] | null;
  readonly created: number;
  readonly rules: readonly {
    readonly scope: RuleScope;
    /** Names that TLS has to ask for; absent = any connection. */
    readonly sni?: readonly string[];
    readonly destinations: readonly { readonly name: string; readonly weight: number }[];
    readonly origin: RouteOrigin;
  }[];
}

/** What services of a name speak on all of their ports, whatever else is said of them (Consul's `protocol`). */
export interface ProtocolPolicy {
  /** Null = of any name that no other policy has. */
  readonly service: string | null;
  readonly protocol: 'http' | 'tcp';
}

/** How callers use a host (Istio's DestinationRule). */
export interface DestinationPolicy {
  readonly object: ObjectRef;
  readonly host: string;
  readonly visibleTo: readonly string[] | null;
  /** Callers of its own namespace for whom alone it holds; null = all. */
  readonly callers: Readonly<Record<string, string>> | null;
  /** They are callers of any namespace (Consul, whose services have none). */
  readonly everywhere?: true;
  readonly created: number;
  readonly traffic: PortTraffic | null;
  readonly subsets: readonly SubsetPolicy[];
  /** Destinations that are asked, in order, when nobody of a subset (`*` = of any) is well (Consul's resolver). */
  readonly failover?: Readonly<Record<string, readonly string[]>>;
}

export interface SubsetPolicy {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  /** What labels must be beyond that; absent = anything. */
  readonly filter?: LabelFilter;
  readonly traffic: PortTraffic | null;
  readonly source: SourceRef;
}

/** Whether a workload or an address of these labels belongs to a subset. */
export function belongs({ labels: wanted, filter }: SubsetPolicy, labels: Readonly<Record<string, string>>): boolean {
  return selects(wanted, labels) && (filter === undefined || fits(filter, labels));
}

/** Null = nothing is said of it. */
export interface TrafficSettings {
  readonly pool: PoolSettings | null;
  readonly balancer: BalancerSettings | null;
  readonly outlier: OutlierSettings | null;
  readonly tls: ClientTls | null;
  readonly retryBudget: RetryBudget | null;
}

export interface PortTraffic extends TrafficSettings {
  /** What is said of a port takes the place of everything else that is said. */
  readonly ports: readonly { readonly port: number; readonly settings: TrafficSettings }[];
}

export interface BalancerSettings {
  readonly balancing: Balancing;
  /** By what consistent hashing chooses; empty = the algorithm is another. */
  readonly hash: readonly HashPolicy[];
  /** What places say; absent = the nearest are asked first, where a breaker watches. */
  readonly places?: PlaceSettings;
}

/** Istio's `localityLbSetting`: places are `region/zone/sub-zone`, `*` at the end meaning all below. */
export interface PlaceSettings {
  /** False = places say nothing. */
  readonly enabled: boolean;
  /** Shares of the callers of a place among others; the first that is about the caller's holds. */
  readonly distribute: readonly { readonly from: string; readonly to: Readonly<Record<string, number>> }[];
  /** Regions that are asked next when the own one fails. */
  readonly failover: readonly { readonly from: string; readonly to: string }[];
  /** Labels, `name` or `name=value`: who has the same as the caller in more of them, from the first on, is asked first. */
  readonly failoverPriority: readonly string[];
}

export interface OutlierSettings {
  readonly ejection: EjectionPolicy;
  /** With a smaller share of healthy endpoints all are asked again; 0 = never. */
  readonly minHealthPercent: number;
}

/** How a caller's sidecar encrypts; `mesh` = with the mesh's identities, `originate` = without them. */
export type ClientTls =
  | { readonly mode: 'disable'; readonly source: SourceRef }
  /** `names` = those that count instead of the ones that are known of the endpoints; none = these. */
  | { readonly mode: 'mesh'; readonly names: readonly string[]; readonly source: SourceRef }
  | { readonly mode: 'originate'; readonly tls: OriginatedTls; readonly source: SourceRef };

/** What callers may see and reach (Istio's Sidecar). */
export interface EgressPolicy {
  readonly object: ObjectRef;
  /** Workloads of its namespace; null = all. */
  readonly callers: Readonly<Record<string, string>> | null;
  readonly created: number;
  /** Null = everything. */
  readonly hosts: readonly { readonly namespace: string; readonly host: string }[] | null;
  readonly unknownHosts: UnknownHosts | null;
}

/** An entry to the mesh from outside that routes can be bound to. */
export interface GatewayPolicy {
  readonly object: ObjectRef;
  /** What route sets call it: `namespace/name`, a listener of the Gateway API `namespace/name/listener`. */
  readonly boundAs: string;
  readonly hosts: readonly ServedHost[];
}

/** A host that a gateway serves (`*` = any), for routes of one namespace, or of all (null). */
export interface ServedHost {
  readonly host: string;
  readonly namespace: string | null;
  /** Port of the server as its resource has it, whatever the sandbox's is; null = it has none. */
  readonly port: number | null;
  /** In a cluster it takes TLS. */
  readonly secure: boolean;
}

export interface PeerAuthenticationPolicy {
  readonly object: ObjectRef;
  readonly selector: Readonly<Record<string, string>> | null;
  /** Workloads of any namespace are selected (Consul, whose services have none). */
  readonly everywhere?: true;
  readonly created: number;
  /** Null = as the wider one says. */
  readonly mode: MtlsMode | null;
  /** By the workload's own port. */
  readonly ports: Readonly<Record<number, MtlsMode | null>>;
}

/** A limit at the callee, and at whose sidecars. */
export interface RateLimitPolicy {
  readonly object: ObjectRef;
  readonly target:
    | { readonly kind: 'name'; readonly name: string }
    | {
        readonly kind: 'labels';
        readonly labels: Readonly<Record<string, string>>;
        readonly filter?: LabelFilter;
        readonly port: number | null;
      };
  readonly limit: RateLimit;
}

/** Which workloads a policy is about: those of its namespace, the root namespace's being all. */
export interface WorkloadScope {
  readonly object: ObjectRef;
  /** Null = each of them. */
  readonly selector: Readonly<Record<string, string>> | null;
  /** What their labels must be besides; absent = anything. */
  readonly filter?: LabelFilter;
}

/** Rules about who may call (Istio's AuthorizationPolicy). */
export interface AuthorizationPolicy extends WorkloadScope {
  readonly action: AccessRule['action'];
  readonly enforced: boolean;
  /** None = it is met by nobody: an ALLOW without rules lets nobody in. */
  readonly rules: readonly AccessRule[];
}

/** Requests about which an external authorizer is asked, by its name. */
export interface ExternalPolicy extends WorkloadScope {
  readonly provider: string;
  readonly rules: readonly AccessRule[];
}

/**
 * Who may call one port of a workload, and what becomes of calls that are let in: all that there is to say of it (Linkerd's
 * Server, and what holds without one).
 */
export interface PortAccess extends WorkloadScope {
  /** The workload's own port; null = each port that no other policy of the same workload is about. */
  readonly port: number | null;
  /** Of several about one port the highest holds alone, of equal ones the oldest. */
  readonly precedence: number;
  readonly created: number;
  /** In the order in which they are asked; that they are about the port only is added where the port is known. */
  readonly rules: readonly PortRule[];
  /** In the order in which they are asked; absent = what is let in goes to the app as it is. */
  readonly routes?: readonly InboundRoute[];
  /** What the port speaks, whatever is said elsewhere; absent = that. */
  readonly protocol?: AppProtocol;
}

export interface PortRule extends AccessRule {
  /**
   * Service that the caller has to belong to, in which namespace (Consul's intentions; `*` = any), which is proved as one of
   * its workloads; absent = any.
   */
  readonly caller?: { readonly service: string; readonly namespace: string };
}

export interface PortRange {
  readonly from: number;
  readonly to: number;
}

export function inRanges(port: number, ranges: readonly PortRange[]): boolean {
  return ranges.some(({ from, to }) => port >= from && port <= to);
}

/** Ports of a workload whose connections are not looked into; of several policies about it the first holds (Linkerd). */
export interface OpaquePorts extends WorkloadScope {
  readonly ports: readonly PortRange[];
}

/** Whether a workload is among those that a policy is about. */
export function concerns(
  { object, selector, filter }: WorkloadScope,
  { namespace, labels }: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> },
): boolean {
  if (object.namespace !== namespace && object.namespace !== ROOT_NAMESPACE) return false;
  return (selector === null || selects(selector, labels)) && (filter === undefined || fits(filter, labels));
}

/** Whose tokens are believed (Istio's RequestAuthentication). */
export interface TokenPolicy extends WorkloadScope {
  readonly rules: readonly TokenRule[];
}

/** How much is traced (Istio's Telemetry). */
export interface TelemetryPolicy extends WorkloadScope {
  readonly created: number;
  /** Share of the traces that are sampled, 0-100. */
  readonly samplePercent: number;
}

/** The name of a destination's cluster, the port empty where the resource leaves it open. */
export function destinationName(host: string, port: number | null, subset: string): string {
  return `outbound|${port ?? ''}|${subset}|${host}`;
}

/** What a name of {@link destinationName} says. */
export function destinationOf(name: string): { host: string; port: number | null; subset: string } {
  const [, port = '', subset = '', host = ''] = name.split('|');
  return { host, port: port === '' ? null : Number(port), subset };
}
