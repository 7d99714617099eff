import type { OutsideEndpoint, ServicePort, ServiceSpec } from '../../model/app.js';
import { ROOT_NAMESPACE } from '../../model/policies.js';
import { list, oneOf, type Read, record, table, tableWith, text, unsupported, whole } from '../../yaml/readers.js';
import { addressOf, protocolOf } from '../kubernetes/service.js';
import { ofKind, type Resource } from '../resource.js';
import { labels, passed, portNumber, visibleTo } from '../words.js';

/** What a ServiceEntry and a WorkloadEntry may hold (istio.io/api networking/v1), as it is read. */

const workload = table({
  address: text,
  ports: record(portNumber()),
  labels,
  network: passed,
  locality: text,
  weight: whole(0, 2 ** 32 - 1),
  serviceAccount: text,
});

export const workloadEntry = workload;

const port = tableWith(['number'], {
  number: portNumber(),
  protocol: text,
  name: text,
  targetPort: portNumber(),
});

export const serviceEntry = tableWith(['hosts'], {
  hosts: list(text),
  addresses: list(text),
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

/** Each host of a ServiceEntry as a service of its own. */
export function externalServicesOf(resources: readonly Resource[]): ServiceSpec[] {
  const entries = ofKind<WorkloadEntry>(resources, 'istio', 'WorkloadEntry');
  return ofKind<ServiceEntry>(resources, 'istio', 'ServiceEntry')
    .toSorted((a, b) => a.created - b.created)
    .flatMap((resource) => {
      const { spec, namespace } = resource;
      const ports = (spec.ports ?? []).map(
        (declared): ServicePort => ({
          port: declared.number,
          ...protocolOf({ name: declared.protocol?.toLowerCase() }),
          targetPort: declared.targetPort ?? declared.number,
        }),
      );
      const seen = visibleTo(spec.exportTo, namespace);
      const selector = spec.workloadSelector?.labels;
      const selected =
        selector === undefined
          ? []
          : entries.filter((one) => one.namespace === namespace && has(one.spec.labels ?? {}, selector));
      const given = [...(spec.endpoints ?? []), ...selected.map((one) => one.spec)];
      return [...new Set(spec.hosts)].map((host) => {
        const outside = given.length > 0 ? given : resolves(spec) ? [{ address: host }] : [];
        const service: ServiceSpec = {
          name: host,
          namespace: namespace === ROOT_NAMESPACE ? 'default' : namespace,
          host,
          virtualIp: spec.addresses?.[0]?.replace(/\/32$/, '') ?? (host.startsWith('*') ? '' : addressOf(host)),
          ports,
          selector: selector ?? null,
          outside: outside.map((endpoint) => outsideEndpoint(endpoint, spec.ports ?? [])),
          ...(spec.resolution === undefined || spec.resolution === 'NONE' ? { passthrough: true as const } : {}),
          ...(seen === null ? {} : { visibleTo: seen }),
        };
        return service;
      });
    });
}

function resolves({ resolution }: ServiceEntry): boolean {
  return resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN' || resolution === 'DYNAMIC_DNS';
}

function has(own: Readonly<Record<string, string>>, wanted: Readonly<Record<string, string>>): boolean {
  return Object.entries(wanted).every(([name, value]) => own[name] === value);
}

/** An endpoint's own port by the name of the service's, else the service's target. */
export function outsideEndpoint(
  { address = '', ports = {}, labels: own = {}, locality = '', weight = 1 }: WorkloadEntry,
  declared: readonly { readonly number: number; readonly name?: string; readonly targetPort?: number }[],
): OutsideEndpoint {
  const dialed = declared.map(
    ({ number, name = '', targetPort }) => [number, ports[name] ?? targetPort ?? number] as const,
  );
  return { address, ports: Object.fromEntries(dialed), labels: own, locality, weight: Math.max(1, weight) };
}
