import type { ServicePort, ServiceSpec, TargetName } from '../../model/app.js';
import { fqdn, serviceKey } from '../../model/names.js';
import { inRanges, type PortRange } from '../../model/policies.js';
import { list, oneOf, type Read, reader, table, tableWith, text, toldWhere } from '../../yaml/readers.js';
import { textShape } from '../../yaml/shape.js';
import { opaqueAt } from '../linkerd/opaque-ports.js';
import { ofKind, type Resource } from '../resource.js';
import { labels, passed, portNumber, visibleTo } from '../words.js';
import { targetNamed } from './target-names.js';
import { prefersNear } from './traffic-distribution.js';

/** A port by number or by the name of a container's port. */
const intOrName = reader<string>(textShape("a number, or the name of a container's port"), (view, where) => {
  return view.text(where) ?? undefined;
});

const port = tableWith(['port'], {
  name: text,
  port: portNumber(),
  targetPort: intOrName,
  protocol: toldWhere(oneOf(['TCP', 'UDP', 'SCTP']), (word) =>
    word === 'TCP' ? null : `the mesh carries TCP only, and its services have no port of ${word}`,
  ),
  appProtocol: text,
  nodePort: passed,
});

/** A Kubernetes Service, as far as a mesh looks at it. */
export const service = table({
  selector: labels,
  ports: list(port),
  clusterIP: text,
  clusterIPs: list(text),
  type: text,
  externalName: text,
  ipFamilies: passed,
  ipFamilyPolicy: passed,
  sessionAffinity: passed,
  sessionAffinityConfig: passed,
  internalTrafficPolicy: passed,
  externalTrafficPolicy: passed,
  publishNotReadyAddresses: passed,
  externalIPs: passed,
  loadBalancerIP: passed,
  trafficDistribution: toldWhere(text, (word) =>
    word === 'PreferSameNode' ? 'there are no nodes here: the same sub-zone is preferred' : null,
  ),
});

export type ServiceObject = Read<typeof service>;
type Port = Read<typeof port>;

export function servicesOf(resources: readonly Resource[]): ServiceSpec[] {
  return ofKind<ServiceObject>(resources, 'kubernetes', 'Service').map((service) => {
    const { name, namespace, spec } = service;
    const opaque = opaqueAt(service, resources);
    const near = prefersNear(spec.trafficDistribution, service, resources);
    const seen = visibleTo(exportedTo(service), namespace);
    return {
      name: serviceKey(name, namespace),
      namespace,
      host: fqdn(name, namespace),
      virtualIp:
        spec.clusterIP === undefined || spec.clusterIP === 'None' ? addressOf(fqdn(name, namespace)) : spec.clusterIP,
      ports: (spec.ports ?? [])
        .filter(({ protocol }) => protocol === undefined || protocol === 'TCP')
        .map((port) => portOf(port, opaque, (name) => targetNamed(name, namespace, spec.selector ?? {}, resources))),
      selector: spec.selector ?? null,
      ...externalOf(spec),
      ...(seen === null ? {} : { visibleTo: seen }),
      ...(near === null ? {} : { prefersNear: near }),
    };
  });
}

/** The number of a Service's port of a name; null = there is none, or no such Service is among the resources. */
export function namedPort(
  name: string,
  namespace: string,
  port: string,
  resources: readonly Resource[],
): number | null {
  const service = ofKind<ServiceObject>(resources, 'kubernetes', 'Service').find(
    (one) => one.name === name && one.namespace === namespace,
  );
  return service?.spec.ports?.find((one) => one.name === port)?.port ?? null;
}

/** Namespaces that see a Service, as Istio's annotation has them. */
function exportedTo({ annotations }: Resource): string[] | undefined {
  return annotations['networking.istio.io/exportTo']?.split(',').map((one) => one.trim());
}

/**
 * An ExternalName is another name of a service of the mesh, as in Istio, or of a host outside of it: that one is looked up
 * here, since no resolver of a cluster does so.
 */
function externalOf({ type, externalName, ports = [] }: ServiceObject): Partial<ServiceSpec> {
  if (type !== 'ExternalName' || externalName === undefined) return {};
  const host = externalName.replace(/\.$/, '');
  const dialed = Object.fromEntries(ports.map(({ port }) => [port, port]));
  const endpoint = { address: host, ports: dialed, labels: {}, locality: '', weight: 1 };
  return { selector: null, aliasOf: host, external: true, outside: [endpoint] };
}

/** `opaque` = the ports that Linkerd does not look into, where anybody says which. */
function portOf(declared: Port, opaque: readonly PortRange[] | null, named: (name: string) => TargetName): ServicePort {
  const target = Number(declared.targetPort ?? declared.port);
  const name = Number.isInteger(target) ? null : (declared.targetPort ?? '');
  return {
    port: declared.port,
    ...(inRanges(declared.port, opaque ?? []) ? { protocol: 'tcp' } : protocolOf(declared)),
    targetPort: name === null ? target : declared.port,
    ...(name === null ? {} : { targetName: named(name) }),
    ...(opaque === null ? {} : { ownOpaque: true }),
  };
}

const HTTP = new Set(['http', 'http2', 'grpc', 'grpc-web', 'kubernetes.io/h2c', 'kubernetes.io/ws']);

/** The protocol that a port names: `appProtocol`, else the first part of its name. */
export function protocolWord({
  name,
  appProtocol,
}: {
  readonly name?: string | undefined;
  readonly appProtocol?: string | undefined;
}): string | undefined {
  return (appProtocol ?? name?.split('-')[0])?.toLowerCase();
}

/**
 * `appProtocol`, else the first part of the port's name (Istio's explicit protocol selection). What says nothing is left
 * open; a name may say anything, and an `appProtocol` should not.
 */
export function protocolOf(said: {
  readonly name?: string | undefined;
  readonly appProtocol?: string | undefined;
}): Pick<ServicePort, 'protocol' | 'unknownProtocol'> {
  const word = protocolWord(said) ?? '';
  if (HTTP.has(word)) return { protocol: 'http' };
  if (KNOWN_TCP.has(word)) return { protocol: 'tcp' };
  return { protocol: 'auto', ...(said.appProtocol === undefined ? {} : { unknownProtocol: true as const }) };
}

const KNOWN_TCP = new Set([
  'tcp',
  'tls',
  'https',
  'mongo',
  'mysql',
  'redis',
  'udp',
  'linkerd.io/opaque',
  'linkerd.io/tcp',
]);

/** An address of its own for a service that has none, from 240.241.0.0/16, the same each time. */
export function addressOf(host: string): string {
  let hash = 2_166_136_261;
  for (const char of host) hash = Math.imul(hash ^ char.charCodeAt(0), 16_777_619) >>> 0;
  return `240.241.${(hash >>> 8) & 255}.${(hash & 255) === 0 ? 1 : hash & 255}`;
}
