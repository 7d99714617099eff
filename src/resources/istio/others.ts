import { READING } from '../../model/finding.js';
import type { EgressPolicy, GatewayPolicy, PeerAuthenticationPolicy, ServedHost } from '../../model/policies.js';
import type { MtlsMode } from '../../model/sidecar-config.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import {
  flag,
  list,
  oneOf,
  openTable,
  type Read,
  record,
  table,
  tableWith,
  text,
  unobeyed,
  unsupported,
} from '../../yaml/readers.js';
import { ofKind, type Report, type Resource } from '../resource.js';
import { fullHost, labelSelector, labels, passed, portNumber } from '../words.js';

/** Istio's smaller kinds: Sidecar, Gateway, PeerAuthentication. */

const workloadSelector = table({ labels });

const outboundTrafficPolicy = table({
  mode: oneOf(['REGISTRY_ONLY', 'ALLOW_ANY']),
  egressProxy: unsupported('traffic to unknown hosts leaves directly'),
});

export const sidecar = table({
  workloadSelector,
  ingress: unsupported('every declared port is captured'),
  egress: list(
    tableWith(['hosts'], {
      hosts: list(text),
      port: unsupported('hosts are visible on all of their ports'),
      bind: unsupported('every address is captured'),
      captureMode: unsupported('every address is captured'),
    }),
  ),
  inboundConnectionPool: unsupported('connections to the app are not limited'),
  outboundTrafficPolicy,
});

export type Sidecar = Read<typeof sidecar>;

export function egressPoliciesOf(resources: readonly Resource[]): EgressPolicy[] {
  return ofKind<Sidecar>(resources, 'istio', 'Sidecar').map((resource) => {
    const { workloadSelector: selector, egress, outboundTrafficPolicy: policy } = resource.spec;
    return {
      object: resource,
      callers: selector?.labels ?? null,
      created: resource.created,
      hosts: egress === undefined ? null : egressHostsOf(resource),
      unknownHosts:
        policy === undefined ? null : policy.mode === 'ALLOW_ANY' ? ('allow-any' as const) : ('registry-only' as const),
    };
  });
}

/** What a Sidecar lets be seen, by namespace (`.` = its own, `*` = any) and host. */
export function egressHostsOf(resource: Resource<Sidecar>): { namespace: string; host: string }[] {
  return (resource.spec.egress ?? []).flatMap(({ hosts }) => hosts).map((entry) => egressHost(entry, resource));
}

/** `./reviews.default.svc.cluster.local`, `istio-system/*`, `*` + `/` + `*`. */
function egressHost(entry: string, { namespace }: Resource): { namespace: string; host: string } {
  const [where = '', host = ''] = entry.includes('/') ? entry.split('/') : ['*', entry];
  return { namespace: where, host: fullHost(host, where === '.' || where === '*' ? namespace : where) };
}

const serverTls = openTable({
  credentialName: text,
  serverCertificate: text,
  privateKey: text,
  httpsRedirect: flag,
  minProtocolVersion: text,
  cipherSuites: list(text),
});

const server = tableWith(['port'], {
  port: table({ number: portNumber(), protocol: text, name: text, targetPort: passed }),
  bind: passed,
  hosts: list(text),
  tls: unobeyed('the sandbox publishes its gateway in plaintext on loopback', serverTls),
  defaultEndpoint: passed,
  name: text,
});

export const gateway = table({ servers: list(server), selector: labels });

export type Gateway = Read<typeof gateway>;
export type GatewayServer = Read<typeof server>;
export type ServerTls = Read<typeof serverTls>;

export function gatewayPoliciesOf(resources: readonly Resource[]): GatewayPolicy[] {
  return ofKind<Gateway>(resources, 'istio', 'Gateway')
    .filter(isOurs)
    .map((resource) => ({
      object: resource,
      boundAs: `${resource.namespace}/${resource.name}`,
      hosts: (resource.spec.servers ?? []).filter(isHttp).flatMap(({ hosts = [], port }) =>
        hosts.map((host) => ({
          ...servedHost(host, resource.namespace),
          port: port.number ?? null,
          secure: port.protocol?.toUpperCase() === 'HTTPS',
        })),
      ),
    }));
}

/** `other/a.example.com` for routes of that namespace, `./…` for those of the Gateway's own. */
export function servedHost(host: string, own: string): Pick<ServedHost, 'host' | 'namespace'> {
  const [namespace, name] = host.includes('/') ? host.split('/') : ['*', host];
  return { host: name ?? host, namespace: namespace === '*' ? null : namespace === '.' ? own : (namespace ?? null) };
}

/** Labels of ingress gateways, as Istio's installations give them; there is one gateway here. */
const INGRESS: Readonly<Record<string, readonly string[]>> = {
  istio: ['ingressgateway', 'ingress', 'gateway'],
  app: ['istio-ingressgateway', 'istio-ingress', 'gateway'],
};

/** Whether a Gateway selects the sandbox's own: an egress gateway's does not. */
function isOurs({ spec }: Resource<Gateway>): boolean {
  return Object.entries(spec.selector ?? {}).every(([label, value]) => INGRESS[label]?.includes(value) ?? false);
}

const HTTP = new Set(['HTTP', 'HTTP2', 'HTTPS', 'GRPC']);

export function isHttp({ port }: GatewayServer): boolean {
  return HTTP.has((port.protocol ?? '').toUpperCase());
}

/** What is written and without effect. */
export function tellGateway(resource: Resource<Gateway>, report: Report): void {
  const unobeyed = (where: SourceRef, message: string): void =>
    report(READING.unsupportedField, 'warning', where, message);
  const { selector, servers = [] } = resource.spec;
  if (!isOurs(resource))
    unobeyed(
      sourceOf(resource.spec, 'selector'),
      `the gateway of the sandbox is istio: ingressgateway, and this Gateway selects ${Object.entries(selector ?? {})
        .map(([label, value]) => `${label}: ${value}`)
        .join(', ')}: it has no effect`,
    );
  const [first, ...others] = servers.filter(isHttp);
  const served = new Set([first?.port.number]);
  for (const { port } of others) {
    if (!served.has(port.number))
      unobeyed(
        sourceOf(port, 'number'),
        `port ${port.number ?? ''} is not obeyed: the sandbox's gateway has one port, where what is bound to each server is served as one list of routes`,
      );
    served.add(port.number);
  }
  for (const server of servers)
    if (server.port.protocol !== undefined && !isHttp(server))
      unobeyed(
        sourceOf(server.port, 'protocol'),
        `protocol is not obeyed: the sandbox's gateway speaks HTTP, so nothing is served on port ${server.port.number ?? ''}`,
      );
}

const mtls = table({ mode: oneOf(['UNSET', 'DISABLE', 'PERMISSIVE', 'STRICT']) });

export const peerAuthentication = table({
  selector: labelSelector,
  mtls,
  portLevelMtls: record(mtls),
});

export type PeerAuthentication = Read<typeof peerAuthentication>;

const MODES: Readonly<Record<string, MtlsMode>> = { DISABLE: 'disable', PERMISSIVE: 'permissive', STRICT: 'strict' };

export function peerAuthenticationOf(resources: readonly Resource[]): PeerAuthenticationPolicy[] {
  return ofKind<PeerAuthentication>(resources, 'istio', 'PeerAuthentication').map((resource) => {
    const { selector, mtls: whole, portLevelMtls = {} } = resource.spec;
    const modeOf = (mode: string | undefined): MtlsMode | null => MODES[mode ?? 'UNSET'] ?? null;
    const matchLabels = selector?.matchLabels ?? {};
    return {
      object: resource,
      selector: Object.keys(matchLabels).length === 0 ? null : matchLabels,
      created: resource.created,
      mode: modeOf(whole?.mode),
      ports: Object.fromEntries(Object.entries(portLevelMtls).map(([port, { mode }]) => [Number(port), modeOf(mode)])),
    };
  });
}
