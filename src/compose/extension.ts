import type { RetrySettings, RouteSettings, ServiceSettings, SourceRef } from '../model/app.js';
import type { Balancing, EjectionPolicy, RetryBudget, TrafficPolicy } from '../model/cluster.js';
import type { SidecarLimits } from '../model/limits.js';
import { NO_PROPAGATION, type Propagation } from '../model/propagation.js';
import type { RateLimit } from '../model/rate-limit.js';
import { sourceOf } from '../yaml/positions.js';
import type { Findings } from '../yaml/problems.js';
import { flag, limit, list, oneOf, reader, record, shapeOf, table, text } from '../yaml/readers.js';
import { textShape } from '../yaml/shape.js';
import type { YamlView } from '../yaml/view.js';
import { readLimits } from './limits.js';
import { readRateLimit } from './rate-limits.js';
import { readRetries } from './retries.js';
import { readRoute } from './routes.js';
import { readBalancer, readFailureAccrual, readOutlierDetection, readPool, readRetryBudget } from './traffic.js';

/** The top level of `x-mesh`: where traffic enters, what the generator asks for, policies per service. */
export interface MeshExtension {
  readonly gateway: {
    readonly service: string;
    readonly serviceSource: SourceRef;
    /** Null = the service's first HTTP port. */
    readonly port: number | null;
    readonly portSource: SourceRef;
  } | null;
  readonly load: { readonly rps: number | null; readonly paths: readonly string[] | null };
  readonly limits: Partial<SidecarLimits>;
  readonly propagation: Propagation;
  readonly services: ReadonlyMap<string, { readonly settings: ServiceSettings; readonly keySource: SourceRef }>;
}

const anyNumber = reader(
  { kind: 'number', whole: true, least: 1, most: 65_535 },
  (view, where) => view.number(where) ?? undefined,
);

const readGateway = reader<NonNullable<MeshExtension['gateway']>>(
  { kind: 'table', fields: { service: shapeOf(text), port: shapeOf(anyNumber) }, required: ['service'] },
  (view, where, findings) => {
    const read = table<{ service: string; port: number }>({ service: text, port: anyNumber })(view, where, findings);
    if (read === undefined) return undefined;
    const { service, port = null } = read;
    if (service === undefined)
      findings.problem(view.source, `${where} names no service`, 'gateway: { service: NAME, port: 8080 }');
    const at = (key: string): SourceRef =>
      view.entries(where).find((entry) => entry.key === key)?.value.source ?? view.source;
    return { service: service ?? '', serviceSource: at('service'), port, portSource: at('port') };
  },
);

const rate = reader<number>({ kind: 'number', whole: false, least: 0, most: 5_000 }, (view, where, findings) => {
  const rps = view.number(where);
  if (rps !== null && (rps < 0 || rps > 5_000)) findings.problem(view.source, `${where} must be between 0 and 5000`);
  return rps ?? undefined;
});

const path = reader<string>(textShape('a path'), (view, where, findings) => {
  const written = view.text(where) ?? '/';
  if (!/^\/[!-~]*$/.test(written))
    findings.problem(view.source, `${where}: ${JSON.stringify(written)} is not a path`, 'for example /productpage');
  return written;
});

const paths = reader<string[]>({ kind: 'list', of: shapeOf(path) }, (view, where, findings) => {
  const items = view.items(where);
  if (items.length === 0) findings.problem(view.source, `${where} is empty`, 'paths: [/]');
  return items.flatMap((item) => path(item, where, findings) ?? []);
});

interface ServiceWords {
  retries: RetrySettings;
  timeout: number | null;
  balancer: Balancing;
  connectionPool: Pick<TrafficPolicy, 'limits' | 'connectTimeoutMs'>;
  outlierDetection: EjectionPolicy;
  failureAccrual: EjectionPolicy;
  retryBudget: RetryBudget;
  precedence: ServiceSettings['precedence'];
  routes: RouteSettings[];
  rateLimits: RateLimit[];
}

const readWords = table<ServiceWords>({
  retries: readRetries,
  timeout: limit,
  balancer: readBalancer,
  connectionPool: readPool,
  outlierDetection: readOutlierDetection,
  failureAccrual: readFailureAccrual,
  retryBudget: readRetryBudget,
  precedence: oneOf(['first', 'most-specific']),
  routes: list(readRoute),
  rateLimits: list(readRateLimit),
});

const readSettings = reader<ServiceSettings>(shapeOf(readWords), (view, where, findings) => {
  const read = readWords(view, where, findings) ?? {};
  if (read.outlierDetection !== undefined && read.failureAccrual !== undefined)
    findings.problem(view.source, `${where} has both outlierDetection and failureAccrual: one of them can watch`);
  const ejection = read.outlierDetection ?? read.failureAccrual;
  return {
    retries: read.retries ?? null,
    timeoutMs: read.timeout ?? null,
    traffic: {
      ...(read.balancer === undefined ? {} : { balancing: read.balancer }),
      ...read.connectionPool,
      ...(ejection === undefined ? {} : { ejection }),
      ...(read.retryBudget === undefined ? {} : { retryBudget: read.retryBudget }),
    },
    precedence: read.precedence ?? 'first',
    routes: read.routes ?? [],
    rateLimits: read.rateLimits ?? [],
  };
});

const extension = table<{
  gateway: NonNullable<MeshExtension['gateway']>;
  load: Partial<{ rps: number; paths: string[] }>;
  limits: Partial<SidecarLimits>;
  propagate: Partial<Propagation>;
  services: Record<string, ServiceSettings>;
}>({
  gateway: readGateway,
  load: table<{ rps: number; paths: string[] }>({ rps: rate, paths }),
  limits: readLimits,
  propagate: table<{ deadline: boolean; retries: boolean }>({ deadline: flag, retries: flag }),
  services: record(readSettings),
});

/** What the top level of `x-mesh` takes. */
export const EXTENSION_SHAPE = shapeOf(extension);

/** Reads it strictly: an unknown key is a problem, since a policy that is silently dropped teaches the wrong thing. */
export function readMeshExtension(view: YamlView | null, findings: Findings): MeshExtension {
  const {
    gateway = null,
    load,
    limits = {},
    propagate,
    services = {},
  } = (view === null ? undefined : extension(view, 'x-mesh', findings)) ?? {};
  return {
    gateway,
    load: { rps: load?.rps ?? null, paths: load?.paths ?? null },
    limits,
    propagation: { ...NO_PROPAGATION, ...propagate },
    services: new Map(
      Object.entries(services).map(([name, settings]) => [name, { settings, keySource: sourceOf(services, name) }]),
    ),
  };
}
