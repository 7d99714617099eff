import type { ServiceSpec } from '../../model/app.js';
import { selects } from '../../model/app.js';
import { fqdn } from '../../model/names.js';
import type { ServiceObject } from '../kubernetes/service.js';
import { ofKind, type Resource } from '../resource.js';
import { isDialled, outsideEndpoint, type WorkloadEntry } from './service-entry.js';

/**
 * Services of Kubernetes with the WorkloadEntries of their namespace that their selectors choose (istio
 * pilot/pkg/serviceregistry/kube/controller, the handler of workload instances).
 */
export function withSelectedEntries(services: readonly ServiceSpec[], resources: readonly Resource[]): ServiceSpec[] {
  const entries = ofKind<WorkloadEntry>(resources, 'istio', 'WorkloadEntry').filter(({ spec }) => isDialled(spec));
  if (entries.length === 0) return [...services];
  const objects = new Map(
    ofKind<ServiceObject>(resources, 'kubernetes', 'Service').map((one) => [fqdn(one.name, one.namespace), one.spec]),
  );
  return services.map((service) => {
    const { namespace, selector, host } = service;
    if (selector === null || Object.keys(selector).length === 0) return service;
    const outside = entries
      .filter((one) => one.namespace === namespace && selects(selector, one.spec.labels ?? {}))
      .map(({ spec }) => outsideEndpoint(spec, namespace, dialsOf(spec, service, objects.get(host)?.ports ?? [])));
    return outside.length === 0 ? service : { ...service, outside: [...(service.outside ?? []), ...outside] };
  });
}

/**
 * What is dialled for each port: an entry's own port of the target's name, or of the port's where the target is a number;
 * a target that is named and that the entry does not know is not there.
 */
function dialsOf(
  { ports: own = {} }: WorkloadEntry,
  { ports }: ServiceSpec,
  declared: NonNullable<ServiceObject['ports']>,
): Record<number, number> {
  return Object.fromEntries(
    ports.flatMap(({ port, targetPort, targetName }) => {
      const name = targetName?.name ?? declared.find((one) => one.port === port)?.name ?? '';
      const dial = own[name] ?? (targetName === undefined ? targetPort : undefined);
      return dial === undefined ? [] : [[port, dial] as const];
    }),
  );
}
