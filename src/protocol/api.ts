import type { Exchange } from '../model/exchange.js';
import type { Finding } from '../model/finding.js';
import type {
  ApplyResult,
  DescribedRequestInput,
  DiffResult,
  EdgeStats,
  EndpointReport,
  ExchangeFilter,
  Explanation,
  FaultView,
  Features,
  IdentityView,
  Incident,
  LoadStatus,
  Notice,
  PartUsage,
  PolicyFileInput,
  ResourceView,
  ServiceView,
  SnapshotView,
  Status,
  Trace,
  WorkloadView,
} from './api-types.js';
import type { FaultInput } from './fault-input.js';

/**
 * The one table of operations: server, client and reference documentation come from it. `:name` in a path is filled
 * from the request's field of that name; other fields go to the query (GET, DELETE) or the JSON body (POST, PUT).
 */
export interface Operation<Request, Response> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'DELETE';
  readonly path: string;
  readonly summary: string;
  /** Largest body, bytes; 1 MiB unless said. */
  readonly bodyBytes?: number;
  /** Types only; never set. */
  readonly request?: Request;
  readonly response?: Response;
}

type Empty = Record<string, never>;

/** What policy files may hold together. */
const FILES_BYTES = 16 * 1024 * 1024;

function operation<Request, Response>(
  method: Operation<Request, Response>['method'],
  path: string,
  summary: string,
  bodyBytes: number = 1024 * 1024,
): Operation<Request, Response> {
  return { method, path, summary, bodyBytes };
}

export const OPERATIONS = {
  status: operation<Empty, Status>('GET', '/api/v1/status', 'The sandbox at a glance'),
  services: operation<Empty, readonly ServiceView[]>('GET', '/api/v1/services', 'Mesh services and their policies'),
  workloads: operation<Empty, readonly WorkloadView[]>('GET', '/api/v1/workloads', 'Workloads with sidecar state'),
  edges: operation<Empty, readonly EdgeStats[]>('GET', '/api/v1/edges', 'Live figures per caller and callee'),
  exchanges: operation<ExchangeFilter, readonly Exchange[]>(
    'GET',
    '/api/v1/exchanges',
    'Recorded requests, newest last',
  ),
  trace: operation<{ id: string }, Trace>('GET', '/api/v1/traces/:id', 'Every hop of one request id'),
  explain: operation<{ id: string }, Explanation>(
    'GET',
    '/api/v1/explain/:id',
    'What happened to one request and why; `last` = the newest that entered the mesh',
  ),
  explainRequest: operation<DescribedRequestInput, Explanation>(
    'POST',
    '/api/v1/explain',
    'What would happen to a request that is only described',
  ),
  snapshot: operation<Empty, SnapshotView>('GET', '/api/v1/snapshot', 'The configuration of every sidecar'),
  identities: operation<Empty, readonly IdentityView[]>('GET', '/api/v1/identities', 'Certificates that were issued'),
  faults: operation<Empty, readonly FaultView[]>('GET', '/api/v1/faults', 'Faults with their hits'),
  addFault: operation<FaultInput, FaultView>('POST', '/api/v1/faults', 'Add a fault; answers when every sidecar obeys'),
  updateFault: operation<{ name: string; enabled: boolean }, FaultView>(
    'PUT',
    '/api/v1/faults/:name',
    'Switch a fault on or off',
  ),
  removeFault: operation<{ name: string }, { removed: number }>('DELETE', '/api/v1/faults/:name', 'Remove one fault'),
  clearFaults: operation<Empty, { removed: number }>('DELETE', '/api/v1/faults', 'Remove all faults'),
  resources: operation<{ kind?: string; name?: string; namespace?: string }, readonly ResourceView[]>(
    'GET',
    '/api/v1/resources',
    'Resources that are in force',
  ),
  applyResources: operation<{ files: readonly PolicyFileInput[]; dryRun?: boolean }, ApplyResult>(
    'POST',
    '/api/v1/resources',
    'Apply policy files: all of it or nothing; answers when every sidecar obeys',
    FILES_BYTES,
  ),
  diffResources: operation<{ files: readonly PolicyFileInput[] }, DiffResult>(
    'POST',
    '/api/v1/resources/diff',
    'What applying policy files would change, and for whom, in words',
    FILES_BYTES,
  ),
  analyzeResources: operation<{ files?: readonly PolicyFileInput[] }, { readonly findings: readonly Finding[] }>(
    'POST',
    '/api/v1/analyze',
    'Mistakes in what is applied, and in what would be',
    FILES_BYTES,
  ),
  deleteResources: operation<
    {
      files?: readonly PolicyFileInput[];
      kind?: string;
      name?: string;
      namespace?: string;
      all?: boolean;
      dryRun?: boolean;
    },
    ApplyResult
  >('POST', '/api/v1/resources/delete', 'Delete the resources of files, one by kind and name, or all', FILES_BYTES),
  features: operation<Empty, Features>('GET', '/api/v1/features', 'What is switched on'),
  setFeatures: operation<Partial<Features>, Features>('PUT', '/api/v1/features', 'Switch features'),
  load: operation<Empty, LoadStatus>('GET', '/api/v1/load', 'The built-in traffic generator'),
  setLoad: operation<{ rps?: number; paths?: readonly string[] }, LoadStatus>('PUT', '/api/v1/load', 'Change its rate'),
  trustBundle: operation<Empty, { pem: string }>('GET', '/api/v1/trust-bundle', 'Roots that the mesh believes'),
  timeline: operation<Empty, readonly Incident[]>(
    'GET',
    '/api/v1/timeline',
    'What sidecars did on their own: endpoints put aside and brought back, requests turned away',
  ),
  notices: operation<Empty, readonly Notice[]>('GET', '/api/v1/notices', 'What happened to the sandbox itself'),
  mintJoinTokens: operation<{ workloads: readonly string[] }, { tokens: Readonly<Record<string, string>> }>(
    'POST',
    '/api/v1/join-tokens',
    'One-time join tokens (for the keeper)',
  ),
  reportUsage: operation<{ usage: readonly PartUsage[] }, { accepted: number }>(
    'POST',
    '/api/v1/usage',
    'CPU and memory measured by the runtime (from the keeper)',
  ),
  reportEndpoint: operation<EndpointReport, { accepted: true }>(
    'POST',
    '/api/v1/endpoints',
    'Where an app outside the mesh is, and whether it answers (from the keeper)',
  ),
  probeEndpoint: operation<Omit<EndpointReport, 'ready'>, { accepts: boolean }>(
    'POST',
    '/api/v1/endpoint-probes',
    'Whether an app outside the mesh accepts connections on all of its ports (for the keeper)',
  ),
  reportPart: operation<{ part: string; event: 'died' | 'restarted' | 'gave-up'; detail: string }, { accepted: true }>(
    'POST',
    '/api/v1/part-events',
    'A part of the sandbox died or came back (from the keeper)',
  ),
} as const;

export type OperationName = keyof typeof OPERATIONS;
export type RequestOf<N extends OperationName> = NonNullable<(typeof OPERATIONS)[N]['request']>;
export type ResponseOf<N extends OperationName> = NonNullable<(typeof OPERATIONS)[N]['response']>;

/** Path of the event stream (server-sent events of `MeshEvent`). */
export const EVENTS_PATH = '/api/v1/events';
/** Prometheus text. */
export const METRICS_PATH = '/metrics';

/** Body of every answer that is not 2xx. */
export interface ApiError {
  readonly error: { readonly message: string; readonly hint: string };
}
