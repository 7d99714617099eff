import type { RetrySettings, RouteSettings, ServiceSettings, SourceRef } from '../model/app.js';
import type { Balancing, EjectionPolicy, RetryBudget, TrafficPolicy } from '../model/cluster.js';
import type { SidecarLimits } from '../model/limits.js';
import { NO_PROPAGATION, type Propagation } from '../model/propagation.js';
import type { RateLimit } from '../model/rate-limit.js';
import type { Findings } from '../yaml/problems.js';
import { flag, limit, list, oneOf, table } from '../yaml/readers.js';
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

/** Reads it strictly: an unknown key is a problem, since a policy that is silently dropped teaches the wrong thing. */
export function readMeshExtension(view: YamlView | null, findings: Findings): MeshExtension {
  let gateway: MeshExtension['gateway'] = null;
  let load: MeshExtension['load'] = { rps: null, paths: null };
  let limits: MeshExtension['limits'] = {};
  let propagation = NO_PROPAGATION;
  const services = new Map<string, { settings: ServiceSettings; keySource: SourceRef }>();
  for (const { key, keySource, value } of view?.entries('x-mesh') ?? []) {
    if (key === 'gateway') gateway = readGateway(value, findings);
    else if (key === 'load') load = readLoad(value, findings);
    else if (key === 'limits') limits = readLimits(value, 'x-mesh.limits', findings) ?? {};
    else if (key === 'propagate')
      propagation = { ...NO_PROPAGATION, ...readPropagation(value, 'x-mesh.propagate', findings) };
    else if (key === 'services') {
      for (const entry of value.entries('x-mesh.services')) {
        services.set(entry.key, {
          settings: readSettings(entry.value, `x-mesh.services.${entry.key}`, findings),
          keySource: entry.keySource,
        });
      }
    } else findings.unknownKey(keySource, key, 'x-mesh', ['gateway', 'load', 'limits', 'propagate', 'services']);
  }
  return { gateway, load, limits, propagation, services };
}

const readPropagation = table<{ deadline: boolean; retries: boolean }>({ deadline: flag, retries: flag });

function readGateway(view: YamlView, findings: Findings): MeshExtension['gateway'] {
  let service: string | null = null;
  let port: number | null = null;
  let serviceSource = view.source;
  let portSource = view.source;
  for (const { key, keySource, value } of view.entries('x-mesh.gateway')) {
    if (key === 'service') {
      service = value.text('x-mesh.gateway.service') ?? '';
      serviceSource = value.source;
    } else if (key === 'port') {
      port = value.number('x-mesh.gateway.port');
      portSource = value.source;
    } else findings.unknownKey(keySource, key, 'x-mesh.gateway', ['service', 'port']);
  }
  if (service === null)
    findings.problem(view.source, 'x-mesh.gateway names no service', 'gateway: { service: NAME, port: 8080 }');
  return { service: service ?? '', serviceSource, port, portSource };
}

function readLoad(view: YamlView, findings: Findings): MeshExtension['load'] {
  let rps: number | null = null;
  let paths: string[] | null = null;
  for (const { key, keySource, value } of view.entries('x-mesh.load')) {
    if (key === 'rps') rps = rateOf(value, findings);
    else if (key === 'paths') paths = value.items('x-mesh.load.paths').map((item) => pathOf(item, findings));
    else findings.unknownKey(keySource, key, 'x-mesh.load', ['rps', 'paths']);
  }
  if (paths?.length === 0) findings.problem(view.source, 'x-mesh.load.paths is empty', 'paths: [/]');
  return { rps, paths };
}

function rateOf(view: YamlView, findings: Findings): number | null {
  const rps = view.number('x-mesh.load.rps');
  if (rps !== null && (rps < 0 || rps > 5_000))
    findings.problem(view.source, 'x-mesh.load.rps must be between 0 and 5000');
  return rps;
}

function pathOf(view: YamlView, findings: Findings): string {
  const path = view.text('x-mesh.load.paths') ?? '/';
  if (!/^\/[!-~]*$/.test(path))
    findings.problem(
      view.source,
      `x-mesh.load.paths: ${JSON.stringify(path)} is not a path`,
      'for example /productpage',
    );
  return path;
}

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

function readSettings(view: YamlView, where: string, findings: Findings): ServiceSettings {
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
}
