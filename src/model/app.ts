import type { AppProtocol } from './app-protocol.js';
import type { TrafficPolicy } from './cluster.js';
import type { SidecarLimits } from './limits.js';
import { fqdn, serviceKey, virtualIp } from './names.js';
import type { Propagation } from './propagation.js';
import type { RateLimit } from './rate-limit.js';
import type { RetryPolicy, Route } from './route.js';
import type { SourceRef } from './source.js';

/** What the user brings: workloads and the services they form (DESIGN §2). Produced by `compose/`, read by everyone. */

export type { AppProtocol } from './app-protocol.js';
export type { SourceRef } from './source.js';

/** A port of a workload's app, as the app itself binds it when nothing rewrites it. */
export interface AppPort {
  readonly port: number;
  readonly protocol: AppProtocol;
}

/** One running instance group: a Compose service, with a sidecar of its own unless it stands outside the mesh. */
export interface WorkloadSpec {
  /** Compose service name, e.g. `reviews-v1`. Unique in the app. */
  readonly name: string;
  /** Value of the label `app`; workloads of the same app form one mesh service. Default: the workload's name. */
  readonly app: string;
  /** Value of the label `version`. Default `v1`. */
  readonly version: string;
  /** Kubernetes namespace that it would be in. Default `default`. */
  readonly namespace: string;
  /** Kubernetes service account that the SPIFFE ID is made of. Default: `app`. */
  readonly serviceAccount: string;
  /**
   * False = outside the mesh (`x-mesh.sidecar: false`): no sidecar, no identity; it is called in plaintext, and its own
   * calls leave as they are.
   */
  readonly meshed: boolean;
  /** `region/zone/sub-zone` as far as it is known; '' = nowhere in particular. */
  readonly locality: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly AppPort[];
  /** Container image. */
  readonly image: string;
  /** Container command (argv); empty = the image's own. */
  readonly command: readonly string[];
  readonly entrypoint: readonly string[] | null;
  readonly environment: Readonly<Record<string, string>>;
  /** How to start the app as a plain process on the `local` runtime (`x-mesh.local`); null = derived from image and command, or impossible. */
  readonly localCommand: readonly string[] | null;
  readonly user: string | null;
  readonly workingDir: string | null;
  /** How patiently the app itself calls others, as far as it was said (`x-mesh.calls`). */
  readonly calls?: readonly CallSpec[];
  readonly source: SourceRef | null;
}

/** An app's own client: what it does apart from the mesh. */
export interface CallSpec {
  /** Service that it calls. */
  readonly service: string;
  /** How long it waits for one try, ms; null = without end. */
  readonly timeoutMs: number | null;
  /** How often it tries, the first included. */
  readonly tries: number;
  readonly source: SourceRef;
}

/** A name that callers use, as a Kubernetes Service is one; it stands for the workloads that its selector chooses. */
export interface ServiceSpec {
  /** How people call it, unique: `reviews`, in another namespace than `default` `orders.other`, from outside its host. */
  readonly name: string;
  readonly namespace: string;
  /** Full host name: `reviews.default.svc.cluster.local`. */
  readonly host: string;
  readonly virtualIp: string;
  /** Further addresses that stand for it; absent = none. */
  readonly otherAddresses?: readonly string[];
  readonly ports: readonly ServicePort[];
  /** Labels that its workloads have, in its namespace; null = it has none. */
  readonly selector: Readonly<Record<string, string>> | null;
  /** Endpoints that no workload of ours is (ServiceEntry, WorkloadEntry); absent = none. */
  readonly outside?: readonly OutsideEndpoint[];
  /** Endpoints of the caller's zone, or sub-zone, are asked first where no DestinationRule says anything of places. */
  readonly prefersNear?: 'zone' | 'subzone';
  /** It stands outside of the mesh: nobody speaks mutual TLS to it by himself, whoever answers. */
  readonly external?: true;
  /** It is another name of the service of this host, if there is one (ExternalName). */
  readonly aliasOf?: string;
  /** Hosts that are other names of it; absent = none. */
  readonly aliases?: readonly string[];
  /** Connections go where they were going, whatever the address (ServiceEntry without resolution). */
  readonly passthrough?: true;
  /** Namespaces of callers that see it; absent = all. */
  readonly visibleTo?: readonly string[];
}

/** An address outside of the mesh. */
export interface OutsideEndpoint {
  /** IP address or host name. */
  readonly address: string;
  /** Port of the service → port at the address. */
  readonly ports: Readonly<Record<number, number>>;
  readonly labels: Readonly<Record<string, string>>;
  readonly locality: string;
  readonly weight: number;
  /** The service account that it proves to have, and in which namespace; absent = none that is known. */
  readonly account?: { readonly serviceAccount: string; readonly namespace: string };
  /** It speaks mutual TLS of the mesh. */
  readonly mutual?: true;
}

export interface ServicePort extends AppPort {
  /** Where its workloads listen. */
  readonly targetPort: number;
  /** They listen on a port of this name, and `targetPort` is only the service's own. */
  readonly targetName?: TargetName;
  /** Its resource names a protocol that nobody knows. */
  readonly unknownProtocol?: true;
  /** Which ports are opaque is said of its service, so that none is by its number (Linkerd). */
  readonly ownOpaque?: true;
}

/** A port by its name, and the numbers that pods give to it, as far as manifests say so; null = it is none of theirs. */
export interface TargetName {
  readonly name: string;
  readonly pods: readonly { readonly labels: Readonly<Record<string, string>>; readonly port: number | null }[];
}

/** The service that the workloads of an `app` form by themselves. */
export function serviceOf(app: string, namespace: string, ports: readonly AppPort[], index: number): ServiceSpec {
  return {
    name: serviceKey(app, namespace),
    namespace,
    host: fqdn(app, namespace),
    virtualIp: virtualIp(index),
    ports: ports.map((port) => ({ ...port, targetPort: port.port })),
    selector: { app },
  };
}

/** Whether labels have all that a selector asks for. */
export function selects(selector: Readonly<Record<string, string>>, labels: Readonly<Record<string, string>>): boolean {
  return Object.entries(selector).every(([name, value]) => labels[name] === value);
}

/** The workloads that a service stands for. */
export function workloadsOf<W extends Pick<WorkloadSpec, 'namespace' | 'labels'>>(
  service: Pick<ServiceSpec, 'namespace' | 'selector'>,
  workloads: readonly W[],
): W[] {
  const { namespace, selector } = service;
  if (selector === null) return [];
  return workloads.filter((workload) => workload.namespace === namespace && selects(selector, workload.labels));
}

export interface RetrySettings {
  /** Retries after the first try, as Istio's `attempts`. */
  readonly attempts: number;
  /** Envoy's `x-envoy-retry-on` words, plus status codes as numbers. */
  readonly retryOn: readonly string[];
  readonly perTryTimeoutMs: number | null;
  /** Ms; the longest pause is ten times as much. */
  readonly backoffBaseMs?: number;
  readonly retryAfterMaxMs?: number;
  readonly nonIdempotent?: RetryPolicy['nonIdempotent'];
  readonly avoidTriedHosts?: boolean;
}

/** A route whose clusters are named `service` or `service/version`. */
export interface RouteSettings {
  readonly route: Route;
  /** Workloads or services whose calls it is for; empty = everybody's. */
  readonly from: readonly string[];
  /** Null = as the service has them. */
  readonly retries: RetrySettings | null;
}

/** Per-service settings of the Compose extension `x-mesh.services.<name>`. */
export interface ServiceSettings {
  readonly retries: RetrySettings | null;
  /** Overall deadline of a call in ms; null = none (Istio's default). */
  readonly timeoutMs: number | null;
  /** How its endpoints are used, where that differs from the defaults. */
  readonly traffic: Partial<TrafficPolicy>;
  /** Which of several routes that match decides: the first as written (Istio, Consul), or the most specific (Gateway API, Linkerd). */
  readonly precedence: 'first' | 'most-specific';
  /** Its routes in order, instead of the one to all of its versions. */
  readonly routes: readonly RouteSettings[];
  /** Limits at its own workloads. */
  readonly rateLimits: readonly RateLimit[];
}

/** A service that nothing is said about. */
export const NO_SETTINGS: ServiceSettings = {
  retries: null,
  timeoutMs: null,
  traffic: {},
  precedence: 'first',
  routes: [],
  rateLimits: [],
};

export interface AppSpec {
  /** Sample or Compose project name. */
  readonly name: string;
  /** The file it was read from. */
  readonly file: string;
  readonly workloads: readonly WorkloadSpec[];
  readonly services: readonly ServiceSpec[];
  /** Where the gateway sends north-south traffic (`x-mesh.gateway`). */
  readonly gateway: { readonly service: string; readonly port: number };
  /** What the built-in traffic generator asks for (`x-mesh.load`). */
  readonly load: { readonly paths: readonly string[]; readonly rps: number };
  readonly settings: Readonly<Record<string, ServiceSettings>>;
  /** What sidecars bear, where that differs from the defaults (`x-mesh.limits`). */
  readonly limits: Partial<SidecarLimits>;
  readonly propagation: Propagation;
  /** Notes for the user about parts of the file that are not used. */
  readonly warnings: readonly { readonly message: string; readonly source: SourceRef | null }[];
}
