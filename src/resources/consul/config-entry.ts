import { NAMESPACE } from '../../model/names.js';
import { nearest } from '../../model/nearest.js';
import type { Findings } from '../../yaml/problems.js';
import { mapView, type YamlEntry, type YamlView } from '../../yaml/view.js';
import type { Head } from '../head.js';
import { GROUP } from './words.js';

/** Config entries by what they call themselves, as the kinds of their CRDs. */
const ENTRIES: Readonly<Record<string, string>> = {
  'service-router': 'ServiceRouter',
  'service-splitter': 'ServiceSplitter',
  'service-resolver': 'ServiceResolver',
  'service-intentions': 'ServiceIntentions',
  'service-defaults': 'ServiceDefaults',
  'proxy-defaults': 'ProxyDefaults',
  mesh: 'Mesh',
  'exported-services': 'ExportedServices',
  'ingress-gateway': 'IngressGateway',
  'terminating-gateway': 'TerminatingGateway',
  'sameness-group': 'SamenessGroup',
  'jwt-provider': 'JWTProvider',
  'control-plane-request-limit': 'ControlPlaneRequestLimit',
  'api-gateway': 'APIGateway',
  'bound-api-gateway': 'BoundAPIGateway',
  'http-route': 'HTTPRoute',
  'tcp-route': 'TCPRoute',
  'inline-certificate': 'InlineCertificate',
  'file-system-certificate': 'FileSystemCertificate',
};

/** What is there once needs no name. */
const NAMES: Readonly<Record<string, string>> = { ProxyDefaults: 'global', Mesh: 'mesh' };

/** Keys that are the entry's own, or that Consul's servers add. */
const HEAD = new Set([
  'kind',
  'name',
  'namespace',
  'partition',
  'meta',
  'createindex',
  'modifyindex',
  'hash',
  'status',
]);

const bare = (key: string): string => key.replaceAll('_', '').toLowerCase();

const field = (entries: ReadonlyMap<string, YamlEntry>, name: string): YamlEntry | undefined =>
  [...entries.values()].find(({ key }) => bare(key) === name);

/** Whether a document is `Kind: service-router` rather than a resource of Kubernetes. */
export function isConfigEntry(entries: ReadonlyMap<string, YamlEntry>): boolean {
  const word = field(entries, 'kind')?.value.scalar;
  return !entries.has('apiVersion') && typeof word === 'string' && /^[^A-Z]/.test(word);
}

/** A config entry of Consul (`Kind: service-router`, `Name: web`) as a resource; null = of a kind that there is not. */
export function configEntryOf(
  view: YamlView,
  entries: ReadonlyMap<string, YamlEntry>,
  findings: Findings,
): Head | null {
  const kind = field(entries, 'kind') as YamlEntry;
  const word = String(kind.value.scalar);
  const known = ENTRIES[word];
  if (known === undefined) {
    const close = nearest(word, Object.keys(ENTRIES));
    findings.problem(
      kind.value.source,
      `${JSON.stringify(word)} is no config entry of Consul`,
      close === null ? `there are: ${Object.keys(ENTRIES).join(', ')}` : `did you mean ${close}?`,
    );
    return null;
  }
  const text = (name: string): string | null => field(entries, name)?.value.text(name) || null;
  const name = text('name') ?? NAMES[known] ?? null;
  if (name === null) {
    findings.problem(view.source, `the ${word} has no Name`, 'Name: …');
    return null;
  }
  return {
    apiVersion: `${GROUP}/v1alpha1`,
    versionSource: kind.value.source,
    kind: known,
    kindSource: kind.value.source,
    namespace: text('namespace') || NAMESPACE,
    name,
    labels: {},
    annotations: {},
    created: null,
    body: mapView(view, ({ key }) => !HEAD.has(bare(key))),
  };
}

/** Whether a text is HCL, in which Consul's own files are written. */
export function isHcl(text: string): boolean {
  return /^\s*(?:(?:#|\/\/).*\n\s*)*Kind\s*=/i.test(text);
}
