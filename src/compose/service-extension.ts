import type { AppProtocol, CallSpec } from '../model/app.js';
import { NAMESPACE } from '../model/names.js';
import { sourceOf } from '../yaml/positions.js';
import type { Findings } from '../yaml/problems.js';
import { duration, flag, map, type Reader, reader, record, shapeOf, table, whole } from '../yaml/readers.js';
import { textShape } from '../yaml/shape.js';
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

const text = (fits: RegExp, what: string, hint: string): Reader<string> =>
  reader(textShape(what), (view, where, findings) => {
    const written = view.text(where);
    if (written === null || fits.test(written)) return written ?? undefined;
    findings.problem(view.source, `${where} must be ${what}`, hint);
    return undefined;
  });

const NAME_HINT = 'lower-case letters, digits and dashes';
/** It becomes a part of a SPIFFE ID, so it is held to what Kubernetes allows. */
const account = text(/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/, 'a Kubernetes name', NAME_HINT);
/** A part of host names and SPIFFE IDs. */
const namespace = text(/^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$/, 'a Kubernetes name', NAME_HINT);
const locality = text(
  /^[a-zA-Z0-9._-]+(\/[a-zA-Z0-9._-]+){0,2}$/,
  'region, region/zone or region/zone/sub-zone',
  'locality: eu/north',
);

const argv = (expanded: ExtensionInput['expanded']): Reader<string[]> =>
  reader({ kind: 'list', of: textShape() }, (view, where, findings) => {
    const items = view.items(where);
    if (items.length > 0) return items.map((item) => expanded(item, where));
    if (view.kind === 'list' || view.kind === 'null')
      findings.problem(view.source, `${where} names no program`, 'local: [node, server.js]');
    return undefined;
  });

const protocols = reader<[number, AppProtocol][]>(
  { kind: 'record', of: textShape('', ['http', 'tcp', 'auto']) },
  (view, where, findings) =>
    view.entries(where).flatMap(({ key, keySource, value }): [number, AppProtocol][] => {
      const port = portNumber(key);
      const protocol = value.text(`${where}.${key}`);
      if (port === null) findings.problem(keySource, `${where}: ${JSON.stringify(key)} is not a port`, '8080: http');
      else if (protocol === 'http' || protocol === 'tcp' || protocol === 'auto') return [[port, protocol]];
      else if (protocol !== null) findings.problem(value.source, `${where}.${key} must be http, tcp or auto`);
      return [];
    }),
);

const call = table({ timeout: duration, tries: whole(1, 100) });

/** `calls: { reviews: { timeout: 3s, tries: 2 } }`: what the app's own client does. */
const calls: Reader<CallSpec[]> = map(record(call), (found) =>
  Object.entries(found).map(([service, { timeout = null, tries = 1 }]) => ({
    service,
    timeoutMs: timeout,
    tries,
    source: sourceOf(found, service),
  })),
);

const extension = (expanded: ExtensionInput['expanded']) =>
  table<{
    serviceAccount: string;
    namespace: string;
    locality: string;
    sidecar: boolean;
    ports: [number, AppProtocol][];
    local: string[];
    calls: CallSpec[];
  }>({ serviceAccount: account, namespace, locality, sidecar: flag, ports: protocols, local: argv(expanded), calls });

/** What `x-mesh` of a service takes. */
export const SERVICE_EXTENSION_SHAPE = shapeOf(extension((value, what) => value.text(what) ?? ''));

/** Reads it strictly, as all of `x-mesh`. */
export function readServiceExtension({ view, where, expanded, findings }: ExtensionInput): ServiceExtension {
  const read = (view === null ? undefined : extension(expanded)(view, where, findings)) ?? {};
  return {
    serviceAccount: read.serviceAccount ?? null,
    namespace: read.namespace ?? NAMESPACE,
    locality: read.locality ?? '',
    sidecar: read.sidecar ?? true,
    ports: new Map(read.ports),
    local: read.local ?? null,
    calls: read.calls ?? [],
  };
}
