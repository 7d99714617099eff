import { type OutsideEndpoint, type ServicePort, type ServiceSpec, selects } from '../../model/app.js';
import { ROOT_NAMESPACE } from '../../model/policies.js';
import {
  list,
  oneOf,
  type Read,
  record,
  table,
  tableWith,
  text,
  toldWhere,
  unsupported,
  whole,
} from '../../yaml/readers.js';
import { addressOf, protocolOf } from '../kubernetes/service.js';
import { prefersNear } from '../kubernetes/traffic-distribution.js';
import { ofKind, type Resource } from '../resource.js';
import { labels, passed, portNumber, visibleTo } from '../words.js';

/** What a ServiceEntry and a WorkloadEntry may hold (istio.io/api networking/v1), as it is read. */

const SOCKET = 'unix://';

const workload = table({
  address: toldWhere(text, (address) =>
    address.startsWith(SOCKET) ? 'no Unix sockets are dialled, so nobody stands there: an IP address, or a name' : null,
  ),
  ports: record(portNumber()),
  labels,
  network: passed,
  locality: text,
  weight: whole(0, 2 ** 32 - 1),
  serviceAccount: text,
});

export const workloadEntry = workload;

function isUdp(protocol: string): boolean {
  return protocol.toUpperCase() === 'UDP';
}

const port = tableWith(['number'], {
  number: portNumber(),
  protocol: toldWhere(text, (word) =>
    isUdp(word) ? 'the mesh carries TCP only, and its services have no port of UDP' : null,
  ),
  name: text,
  targetPort: portNumber(),
});

export const serviceEntry = tableWith(['hosts'], {
  hosts: list(text),
  addresses: list(
    toldWhere(text, (address) =>
      isRange(address) ? 'connections go by single addresses: list those that are called' : null,
    ),
  ),
  ports: list(port),
  location: oneOf(['MESH_EXTERNAL', 'MESH_INTERNAL']),
  resolution: oneOf(['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS']),
  endpoints: list(workload),
  workloadSelector: table({ labels }),
  exportTo: list(text),
  subjectAltNames: unsupported('names of certificates are compared where a DestinationRule lists them, in its tls'),
});

export type ServiceEntry = Read<typeof serviceEntry>;
export type WorkloadEntry = Read<typeof workloadEntry>;

/** `10.0.0.0/8`, and not `10.0.0.1/32`. */
function isRange(address: string): boolean {
  return address.includes('/') && !isSingle(address);
}

function isSingle(address: string): boolean {
  return address.endsWith('/32') || (address.includes(':') && address.endsWith('/128'));
}

/** Each host of a ServiceEntry as a service of its own. */
export function externalServicesOf(resources: readonly Resource[]): ServiceSpec[] {
  const entries = ofKind<WorkloadEntry>(resources, 'istio', 'WorkloadEntry');
  return ofKind<ServiceEntry>(resources, 'istio', 'ServiceEntry')
    .toSorted((a, b) => a.created - b.created)
    .flatMap((resource) => {
      const { spec, namespace } = resource;
      const ports = (spec.ports ?? [])
        .filter(({ protocol = '' }) => !isUdp(protocol))
        .map(
          (declared): ServicePort => ({
            port: declared.number,
            ...protocolOf({ name: declared.protocol?.toLowerCase() }),
            targetPort: declared.targetPort ?? declared.number,
          }),
        );
      const seen = visibleTo(spec.exportTo, namespace);
      const near = prefersNear(undefined, resource, resources);
      const selector = spec.workloadSelector?.labels;
      const selected =
        selector === undefined
          ? []
          : entries.filter((one) => one.namespace === namespace && selects(selector, one.spec.labels ?? {}));
      const given = [...(spec.endpoints ?? []), ...selected.map((one) => one.spec)];
      const [first, ...further] = (spec.addresses ?? [])
        .filter((address) => !isRange(address))
        .map((address) => address.replace(/\/\d+$/, ''));
      return [...new Set(spec.hosts)].map((host) => {
        const outside: WorkloadEntry[] =
          given.length > 0 ? given : resolves(spec) && !goesThrough(spec, host) ? [{ address: host }] : [];
        const service: ServiceSpec = {
          name: host,
          namespace: namespace === ROOT_NAMESPACE ? 'default' : namespace,
          host,
          virtualIp: first ?? (host.startsWith('*') ? '' : addressOf(host)),
          ports,
          selector: selector ?? null,
          outside: outside
            .filter(isDialled)
            .map((endpoint) => outsideEndpoint(endpoint, namespace, dialsOf(endpoint, spec.ports ?? []))),
          ...(further.length === 0 ? {} : { otherAddresses: further }),
          ...(spec.location === 'MESH_INTERNAL' ? {} : { external: true as const }),
          ...(near === null ? {} : { prefersNear: near }),
          ...(goesThrough(spec, host) ? { passthrough: true as const } : {}),
          ...(seen === null ? {} : { visibleTo: seen }),
        };
        return service;
      });
    });
}

function resolves({ resolution }: ServiceEntry): boolean {
  return resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN' || resolution === 'DYNAMIC_DNS';
}

/** What is looked up when it is called, host by host, goes where its app's own look-up led. */
function goesThrough({ resolution = 'NONE', endpoints = [] }: ServiceEntry, host: string): boolean {
  return resolution === 'NONE' || (resolution === 'DYNAMIC_DNS' && endpoints.length === 0 && host.startsWith('*'));
}

/** Whether anybody can be reached there. */
export function isDialled({ address = '' }: WorkloadEntry): boolean {
  return !address.startsWith(SOCKET);
}

/** Whether sidecars stand there is said by this label of Istio, else a service account says so. */
const TLS_MODE = 'security.istio.io/tlsMode';

/** `ports` = ports of the service, and what is dialled for them. */
export function outsideEndpoint(
  { address = '', labels: own = {}, locality = '', weight = 1, serviceAccount = '' }: WorkloadEntry,
  namespace: string,
  ports: Readonly<Record<number, number>>,
): OutsideEndpoint {
  const mode = own[TLS_MODE] ?? (serviceAccount === '' ? 'disabled' : 'istio');
  return {
    address,
    ports,
    labels: own,
    locality,
    weight: Math.max(1, weight),
    ...(serviceAccount === '' ? {} : { account: { serviceAccount, namespace } }),
    ...(mode === 'istio' ? { mutual: true as const } : {}),
  };
}

/** An endpoint's own port by the name of the service's, else the service's target. */
function dialsOf(
  { ports = {} }: WorkloadEntry,
  declared: readonly { readonly number: number; readonly name?: string; readonly targetPort?: number }[],
): Record<number, number> {
  return Object.fromEntries(
    declared.map(({ number, name = '', targetPort }) => [number, ports[name] ?? targetPort ?? number] as const),
  );
}
