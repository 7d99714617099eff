import { NO_SETTINGS, type RetrySettings, type ServiceSettings, type SourceRef } from '../model/app.js';
import { type BalancingAlgorithm, CLUSTER_DEFAULTS } from '../model/cluster.js';
import { ISTIO_DEFAULT_RETRIES } from '../model/mesh-config.js';
import { RETRY_CONDITIONS } from '../model/route.js';
import { type Findings, suggestion } from './problems.js';
import type { YamlView } from './yaml-view.js';

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
  readonly services: ReadonlyMap<string, { readonly settings: ServiceSettings; readonly keySource: SourceRef }>;
}

const KNOWN_CONDITIONS: ReadonlySet<string> = new Set(RETRY_CONDITIONS);
const BALANCERS: Readonly<Record<string, BalancingAlgorithm>> = {
  LEAST_REQUEST: { kind: 'least-request', choices: 2 },
  ROUND_ROBIN: { kind: 'round-robin' },
  RANDOM: { kind: 'random' },
  PEAK_EWMA: { kind: 'peak-ewma', defaultRttMs: 30, decayMs: 10_000 },
};

/** Reads it strictly: an unknown key is a problem, since a policy that is silently dropped teaches the wrong thing. */
export function readMeshExtension(view: YamlView | null, findings: Findings): MeshExtension {
  let gateway: MeshExtension['gateway'] = null;
  let load: MeshExtension['load'] = { rps: null, paths: null };
  const services = new Map<string, { settings: ServiceSettings; keySource: SourceRef }>();
  for (const { key, keySource, value } of view?.entries('x-mesh') ?? []) {
    if (key === 'gateway') gateway = readGateway(value, findings);
    else if (key === 'load') load = readLoad(value, findings);
    else if (key === 'services') {
      for (const entry of value.entries('x-mesh.services')) {
        services.set(entry.key, {
          settings: readSettings(entry.value, `x-mesh.services.${entry.key}`, findings),
          keySource: entry.keySource,
        });
      }
    } else findings.unknownKey(keySource, key, 'x-mesh', ['gateway', 'load', 'services']);
  }
  return { gateway, load, services };
}

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

function readSettings(view: YamlView, where: string, findings: Findings): ServiceSettings {
  let retries: RetrySettings | null = null;
  let timeoutMs: number | null = null;
  let traffic: ServiceSettings['traffic'] = {};
  for (const { key, keySource, value } of view.entries(where)) {
    if (key === 'retries') retries = readRetries(value, `${where}.retries`, findings);
    else if (key === 'timeout') timeoutMs = durationOf(value, `${where}.timeout`, findings);
    else if (key === 'balancer') {
      const names = Object.keys(BALANCERS);
      const text = value.text(`${where}.balancer`) ?? '';
      const algorithm = names.includes(text) ? BALANCERS[text] : undefined;
      if (algorithm === undefined) findings.problem(value.source, `${where}.balancer must be ${names.join(' or ')}`);
      else traffic = { ...traffic, balancing: { ...CLUSTER_DEFAULTS.balancing, algorithm } };
    } else findings.unknownKey(keySource, key, where, ['retries', 'timeout', 'balancer']);
  }
  return { ...NO_SETTINGS, retries, timeoutMs, traffic };
}

function readRetries(view: YamlView, where: string, findings: Findings): RetrySettings {
  let { attempts, retryOn } = ISTIO_DEFAULT_RETRIES;
  let perTryTimeoutMs: number | null = null;
  for (const { key, keySource, value } of view.entries(where)) {
    if (key === 'attempts') attempts = attemptsOf(value, `${where}.attempts`, findings);
    else if (key === 'retryOn') retryOn = readRetryOn(value, `${where}.retryOn`, findings);
    else if (key === 'perTryTimeout') perTryTimeoutMs = durationOf(value, `${where}.perTryTimeout`, findings);
    else findings.unknownKey(keySource, key, where, ['attempts', 'retryOn', 'perTryTimeout']);
  }
  return { attempts, retryOn, perTryTimeoutMs };
}

function attemptsOf(view: YamlView, what: string, findings: Findings): number {
  const attempts = view.number(what) ?? 0;
  if (!Number.isInteger(attempts) || attempts < 0 || attempts > 10)
    findings.problem(view.source, `${what} must be a whole number from 0 to 10`);
  return attempts;
}

/** A list, or Envoy's comma list. */
function readRetryOn(view: YamlView, where: string, findings: Findings): string[] {
  const items = view.kind === 'list' ? view.items(where) : [view];
  return items.flatMap((item) => {
    const words = (item.text(where) ?? '').split(',').map((word) => word.trim());
    for (const word of words) {
      if (!KNOWN_CONDITIONS.has(word) && !/^[1-5]\d\d$/.test(word))
        findings.problem(
          item.source,
          `${where}: ${JSON.stringify(word)} is no reason to retry`,
          suggestion(word, RETRY_CONDITIONS, 'a status code, or'),
        );
    }
    return words;
  });
}

/** Null also for `0s`, which means without end, as in Istio. */
function durationOf(view: YamlView, what: string, findings: Findings): number | null {
  const text = view.text(what);
  const match = /^(\d{1,9}(?:\.\d+)?)(ms|s|m|h)$/.exec(text ?? '');
  const unit = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 }[match?.[2] ?? ''];
  if (match && unit !== undefined) return Math.round(Number(match[1]) * unit) || null;
  if (text === null) return null;
  findings.problem(view.source, `${what} must be a duration`, 'such as 250ms or 3s');
  return null;
}
