import type { AppProtocol, CallSpec } from '../model/app.js';
import { NAMESPACE } from '../model/names.js';
import type { Findings } from '../yaml/problems.js';
import { duration, flag, table, whole } from '../yaml/readers.js';
import type { YamlView } from '../yaml/view.js';
import { portNumber } from './ports.js';

/** `services.<name>.x-mesh`: what Compose has no words for. */
export interface ServiceExtension {
  readonly serviceAccount: string | null;
  readonly namespace: string;
  readonly locality: string;
  /** False = the app stands outside the mesh. */
  readonly sidecar: boolean;
  readonly ports: ReadonlyMap<number, AppProtocol>;
  readonly local: readonly string[] | null;
  readonly calls: readonly CallSpec[];
}

export interface ExtensionInput {
  readonly view: YamlView | null;
  readonly where: string;
  readonly expanded: (value: YamlView, what: string) => string;
  readonly findings: Findings;
}

const KEYS = ['serviceAccount', 'namespace', 'locality', 'sidecar', 'ports', 'local', 'calls'];

/** Reads it strictly, as all of `x-mesh`. */
export function readServiceExtension({ view, where, expanded, findings }: ExtensionInput): ServiceExtension {
  let serviceAccount: string | null = null;
  let locality = '';
  let namespace = NAMESPACE;
  let sidecar = true;
  let local: readonly string[] | null = null;
  let ports: ReadonlyMap<number, AppProtocol> = new Map();
  let calls: readonly CallSpec[] = [];
  for (const { key, keySource, value } of view?.entries(where) ?? []) {
    if (key === 'serviceAccount') serviceAccount = accountOf(value, `${where}.serviceAccount`, findings);
    else if (key === 'namespace') namespace = namespaceOf(value, `${where}.namespace`, findings);
    else if (key === 'locality') locality = localityOf(value, `${where}.locality`, findings);
    else if (key === 'sidecar') sidecar = flag(value, `${where}.sidecar`, findings) ?? true;
    else if (key === 'local') local = argvOf(value, `${where}.local`, expanded, findings);
    else if (key === 'ports') ports = protocolsOf(value, `${where}.ports`, findings);
    else if (key === 'calls') calls = callsOf(value, `${where}.calls`, findings);
    else findings.unknownKey(keySource, key, where, KEYS);
  }
  return { serviceAccount, namespace, locality, sidecar, ports, local, calls };
}

/** It becomes a part of a SPIFFE ID, so it is held to what Kubernetes allows. */
function accountOf(value: YamlView, what: string, findings: Findings): string | null {
  const text = value.text(what);
  if (text === null || /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)) return text;
  findings.problem(value.source, `${what} must be a Kubernetes name`, 'lower-case letters, digits and dashes');
  return null;
}

/** A part of host names and SPIFFE IDs. */
function namespaceOf(value: YamlView, what: string, findings: Findings): string {
  const text = value.text(what);
  if (text === null || /^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/.test(text)) return text ?? NAMESPACE;
  findings.problem(value.source, `${what} must be a Kubernetes name`, 'lower-case letters, digits and dashes');
  return NAMESPACE;
}

function localityOf(value: YamlView, what: string, findings: Findings): string {
  const text = value.text(what) ?? '';
  if (!/^[a-zA-Z0-9._-]+(\/[a-zA-Z0-9._-]+){0,2}$/.test(text))
    findings.problem(value.source, `${what} must be region, region/zone or region/zone/sub-zone`, 'locality: eu/north');
  return text;
}

function argvOf(
  value: YamlView,
  what: string,
  expanded: ExtensionInput['expanded'],
  findings: Findings,
): readonly string[] | null {
  const items = value.items(what);
  if (items.length > 0) return items.map((item) => expanded(item, what));
  if (value.kind === 'list' || value.kind === 'null')
    findings.problem(value.source, `${what} names no program`, 'local: [node, server.js]');
  return null;
}

function protocolsOf(value: YamlView, what: string, findings: Findings): ReadonlyMap<number, AppProtocol> {
  const ports = new Map<number, AppProtocol>();
  for (const { key, keySource, value: item } of value.entries(what)) {
    const port = portNumber(key);
    const protocol = item.text(`${what}.${key}`);
    if (port === null) findings.problem(keySource, `${what}: ${JSON.stringify(key)} is not a port`, '8080: http');
    else if (protocol === 'http' || protocol === 'tcp') ports.set(port, protocol);
    else if (protocol !== null) findings.problem(item.source, `${what}.${key} must be http or tcp`);
  }
  return ports;
}

const call = table({ timeout: duration, tries: whole(1, 100) });

/** `calls: { reviews: { timeout: 3s, tries: 2 } }`: what the app's own client does. */
function callsOf(value: YamlView, what: string, findings: Findings): CallSpec[] {
  return value.entries(what).map(({ key, keySource, value: item }) => {
    const { timeout = null, tries = 1 } = call(item, `${what}.${key}`, findings) ?? {};
    return { service: key, timeoutMs: timeout, tries, source: keySource };
  });
}
