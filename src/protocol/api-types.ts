import type { Exchange } from '../model/exchange.js';
import type { Explanation } from '../model/explanation.js';
import type { Fault } from '../model/fault.js';
import type { Finding } from '../model/finding.js';
import type { EdgeStats, PartUsage } from '../model/metrics.js';
import type { ResourceStatus } from '../model/resource-status.js';
import type { MtlsMode } from '../model/sidecar-config.js';
import type { SourceRef } from '../model/source.js';
import type { Incident } from '../model/timeline.js';

/** Shapes of the public API (DESIGN §7). Stable: scripts and tests lean on them. */

export interface Status {
  readonly sandbox: { readonly id: string; readonly name: string };
  readonly app: string;
  readonly runtime: 'docker' | 'local';
  readonly gatewayUrl: string;
  /** Newest snapshot version. */
  readonly version: number;
  readonly seed: number;
  /** Whose defaults hold: `istio`, `istio@1.23`. */
  readonly flavor: string;
  readonly startedAt: number;
  /** True when every workload's sidecar obeys the newest version and every app is ready. */
  readonly ready: boolean;
  readonly workloads: { readonly total: number; readonly ready: number };
  readonly features: Features;
  readonly load: LoadStatus;
}

/** What is switched on (`mesh-sandbox features`). */
export interface Features {
  readonly mtls: MtlsMode;
  /** Retry policies: Istio's default everywhere, and those of `x-mesh`; false = nobody retries. */
  readonly retries: boolean;
}

export interface WorkloadView {
  readonly name: string;
  readonly app: string;
  readonly version: string;
  /** What proxy it has; `none` = an app outside the mesh. */
  readonly role: 'sidecar' | 'gateway' | 'none';
  /** '' = it has none. */
  readonly spiffeId: string;
  /** Names beside it: Linkerd's identity. */
  readonly dnsNames: readonly string[];
  readonly address: string;
  readonly sidecar: 'waiting' | 'connected' | 'disconnected' | 'none';
  readonly appReady: boolean;
  /** Version obeyed now, and the newest one meant for it. */
  readonly ackedVersion: number;
  readonly wantedVersion: number;
  /** Reason of the last refusal, while it stands. */
  readonly nack: string | null;
  readonly certificate: { readonly notBefore: number; readonly notAfter: number; readonly serial: string } | null;
  /** How often the sidecar or the app came back after it died. */
  readonly restarts: { readonly sidecar: number; readonly app: number };
  readonly usage: { readonly sidecar: PartUsage | null; readonly app: PartUsage | null };
  /** CPU µs per request in the sidecar over the last window, from its own clock; null without traffic. */
  readonly cpuMicrosPerRequest: number | null;
  /**
   * Bound ports where connections are not intercepted: `in:<port>` as others dial it, `out:<service>:<port>` as its app
   * does. Without a sidecar the latter lead straight to one instance of the service.
   */
  readonly listenPorts: Readonly<Record<string, number>>;
}

/** An app outside the mesh has no sidecar that could tell where it is. */
export interface EndpointReport {
  readonly workload: string;
  readonly address: string;
  /** Declared port → port to dial at `address`. */
  readonly ports: Readonly<Record<string, number>>;
  readonly ready: boolean;
}

export interface ServiceView {
  readonly name: string;
  readonly hosts: readonly string[];
  readonly virtualIp: string;
  readonly ports: readonly { readonly port: number; readonly protocol: 'http' | 'tcp' | 'auto' }[];
  readonly workloads: readonly string[];
  readonly retries: { readonly attempts: number; readonly retryOn: readonly string[]; readonly origin: string } | null;
  readonly timeoutMs: number | null;
}

export interface FaultView extends Fault {
  /** Requests that it acted on since it was added. */
  readonly hits: number;
  /** The newest version that carries this state of it is obeyed by every sidecar concerned. */
  readonly active: boolean;
}

export interface LoadStatus {
  readonly rps: number;
  readonly paths: readonly string[];
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  readonly missed: number;
}

/** A policy file: its name for people, and what stands in it. */
export interface PolicyFileInput {
  readonly name: string;
  readonly text: string;
}

/** A request that is only described. */
export interface DescribedRequestInput {
  /** Workload, service or `gateway`. */
  readonly from: string;
  /** Service or host: `reviews`, `reviews.default:9080`. */
  readonly to: string;
  readonly method?: string;
  /** With its query; default `/`. */
  readonly path?: string;
  readonly headers?: readonly (readonly [name: string, value: string])[];
}

/** What became of an `apply` or `delete`. Nothing of it holds unless `applied`. */
export interface ApplyResult {
  readonly applied: boolean;
  readonly dryRun: boolean;
  readonly changes: readonly {
    readonly object: string;
    readonly change: 'created' | 'configured' | 'unchanged' | 'deleted';
  }[];
  readonly findings: readonly Finding[];
  /** Snapshot version that carries it. */
  readonly version: number;
  /** When each sidecar that is concerned obeyed, ms after the change was accepted. */
  readonly sidecars: readonly { readonly workload: string; readonly ms: number }[];
  /** Sidecars that refused: then the resources stand as they were. */
  readonly refused: readonly { readonly workload: string; readonly reason: string }[];
}

/** What an `apply` would change. */
export interface DiffResult {
  readonly changes: ApplyResult['changes'];
  readonly findings: readonly Finding[];
  readonly differences: readonly {
    readonly kind: 'added' | 'removed' | 'changed';
    readonly who: readonly string[];
    readonly about: string;
    readonly text: string;
    readonly source: SourceRef | null;
  }[];
}

export interface ResourceView {
  readonly apiVersion: string;
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
  readonly dialect: string;
  /** Epoch ms. */
  readonly created: number;
  readonly source: SourceRef;
  /** As it was written. */
  readonly text: string;
  /** 1 = as it was first applied. */
  readonly generation: number;
  /** What became of it, where its dialect has words for that (Gateway API). */
  readonly status?: ResourceStatus;
}

/** Something that happened to the sandbox itself; shown on screen with its time. */
export interface Notice {
  readonly at: number;
  readonly level: 'info' | 'warning' | 'error';
  readonly text: string;
}

/** All exchanges of one request id, as every sidecar on the way saw them; oldest first. */
export interface Trace {
  readonly requestId: string;
  readonly traceId: string;
  readonly exchanges: readonly Exchange[];
}

export interface ExchangeFilter {
  readonly from?: string;
  readonly to?: string;
  readonly status?: number;
  readonly flag?: string;
  readonly direction?: 'outbound' | 'inbound' | 'gateway';
  readonly requestId?: string;
  readonly traceId?: string;
  /** Epoch ms. */
  readonly since?: number;
  /** Newest N; default 100, at most 5,000. */
  readonly limit?: number;
}

export interface IdentityView {
  readonly workload: string;
  readonly spiffeId: string;
  readonly dnsNames: readonly string[];
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
  readonly issued: number;
}

export interface SnapshotView {
  readonly version: number;
  readonly configs: Readonly<Record<string, unknown>>;
}

/** Server-sent events of `GET /api/v1/events`; `event:` is `type`, `data:` the rest as JSON. */
export type MeshEvent =
  | { readonly type: 'status'; readonly status: Status }
  | { readonly type: 'workloads'; readonly workloads: readonly WorkloadView[] }
  | { readonly type: 'edges'; readonly edges: readonly EdgeStats[] }
  | { readonly type: 'exchanges'; readonly exchanges: readonly Exchange[]; readonly dropped: number }
  | { readonly type: 'faults'; readonly faults: readonly FaultView[] }
  | { readonly type: 'incidents'; readonly incidents: readonly Incident[] }
  | { readonly type: 'notice'; readonly notice: Notice };

export type { EdgeStats, Exchange, Explanation, Fault, Finding, Incident, PartUsage, ResourceStatus };
