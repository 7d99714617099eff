import type { RetrySettings, ServiceSettings } from '../model/app.js';
import type { Findings } from './problems.js';
import type { YamlView } from './yaml-view.js';

/** The top level of `x-mesh`: where traffic enters, what the generator asks for, policies per service. */
export interface MeshExtension {
  readonly gateway: { readonly service: string; readonly port: number | null; readonly view: YamlView } | null;
  readonly load: { readonly rps: number | null; readonly paths: readonly string[] | null };
  readonly services: ReadonlyMap<string, { readonly settings: ServiceSettings; readonly view: YamlView }>;
}

const RETRY_WORDS = [
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
];
const BALANCERS = ['LEAST_REQUEST', 'ROUND_ROBIN'] as const;

/** Reads it strictly: an unknown key is a problem, since a policy that is silently dropped teaches the wrong thing. */
export function readMeshExtension(view: YamlView | null, findings: Findings): MeshExtension {
  let gateway: MeshExtension['gateway'] = null;
  let load: MeshExtension['load'] = { rps: null, paths: null };
  const services = new Map<string, { settings: ServiceSettings; view: YamlView }>();
  for (const { key, keySource, value } of view?.entries('x-mesh') ?? []) {
    if (key === 'gateway') gateway = readGateway(value, findings);
    else if (key === 'load') load = readLoad(value, findings);
    else if (key === 'services') {
      for (const entry of value.entries('x-mesh.services')) {
        services.set(entry.key, {
          settings: readSettings(entry.value, `x-mesh.services.${entry.key}`, findings),
          view: entry.value,
        });
      }
    } else findings.unknownKey(keySource, key, 'x-mesh', ['gateway', 'load', 'services']);
  }
  return { gateway, load, services };
}

function readGateway(view: YamlView, findings: Findings): MeshExtension['gateway'] {
  let service = '';
  let port: number | null = null;
  for (const { key, keySource, value } of view.entries('x-mesh.gateway')) {
    if (key === 'service') service = value.text('x-mesh.gateway.service') ?? '';
    else if (key === 'port') port = value.number('x-mesh.gateway.port');
    else findings.unknownKey(keySource, key, 'x-mesh.gateway', ['service', 'port']);
  }
  if (service === '')
    findings.problem(view.source, 'x-mesh.gateway names no service', 'gateway: { service: NAME, port: 8080 }');
  return { service, port, view };
}

function readLoad(view: YamlView, findings: Findings): MeshExtension['load'] {
  let rps: number | null = null;
  let paths: string[] | null = null;
  for (const { key, keySource, value } of view.entries('x-mesh.load')) {
    if (key === 'rps') rps = value.number('x-mesh.load.rps');
    else if (key === 'paths')
      paths = value.items('x-mesh.load.paths').map((item) => item.text('x-mesh.load.paths') ?? '/');
    else findings.unknownKey(keySource, key, 'x-mesh.load', ['rps', 'paths']);
  }
  if (rps !== null && (rps < 0 || rps > 5_000))
    findings.problem(view.source, 'x-mesh.load.rps must be between 0 and 5000');
  return { rps, paths };
}

function readSettings(view: YamlView, where: string, findings: Findings): ServiceSettings {
  let retries: RetrySettings | null = null;
  let timeoutMs: number | null = null;
  let balancer: ServiceSettings['balancer'] = null;
  for (const { key, keySource, value } of view.entries(where)) {
    if (key === 'retries') retries = readRetries(value, `${where}.retries`, findings);
    else if (key === 'timeout') timeoutMs = durationOf(value, `${where}.timeout`, findings);
    else if (key === 'balancer') {
      const text = value.text(`${where}.balancer`);
      balancer = BALANCERS.find((known) => known === text) ?? null;
      if (balancer === null) findings.problem(value.source, `${where}.balancer must be ${BALANCERS.join(' or ')}`);
    } else findings.unknownKey(keySource, key, where, ['retries', 'timeout', 'balancer']);
  }
  return { retries, timeoutMs, balancer };
}

function readRetries(view: YamlView, where: string, findings: Findings): RetrySettings {
  let attempts = 2;
  let retryOn: string[] = [];
  let perTryTimeoutMs: number | null = null;
  for (const { key, keySource, value } of view.entries(where)) {
    if (key === 'attempts') attempts = value.number(`${where}.attempts`) ?? 0;
    else if (key === 'retryOn') retryOn = readRetryOn(value, `${where}.retryOn`, findings);
    else if (key === 'perTryTimeout') perTryTimeoutMs = durationOf(value, `${where}.perTryTimeout`, findings);
    else findings.unknownKey(keySource, key, where, ['attempts', 'retryOn', 'perTryTimeout']);
  }
  if (!Number.isInteger(attempts) || attempts < 0 || attempts > 10)
    findings.problem(view.source, `${where}.attempts must be a whole number from 0 to 10`);
  return { attempts, retryOn, perTryTimeoutMs };
}

/** A list, or Envoy's comma list. */
function readRetryOn(view: YamlView, where: string, findings: Findings): string[] {
  const items = view.kind === 'list' ? view.items(where) : [view];
  return items.flatMap((item) => {
    const words = (item.text(where) ?? '').split(',').map((word) => word.trim());
    for (const word of words) {
      if (!RETRY_WORDS.includes(word) && !/^[1-5]\d\d$/.test(word))
        findings.unknownKey(item.source, word, where, RETRY_WORDS);
    }
    return words;
  });
}

function durationOf(view: YamlView, what: string, findings: Findings): number | null {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(view.text(what) ?? '');
  const unit = { ms: 1, s: 1_000, m: 60_000 }[match?.[2] ?? ''];
  if (match && unit !== undefined) return Math.round(Number(match[1]) * unit);
  findings.problem(view.source, `${what} must be a duration`, 'such as 250ms or 3s');
  return null;
}
