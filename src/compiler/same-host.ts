import type { ServicePort, ServiceSpec } from '../model/app.js';

/**
 * Services of one host and namespace as one, since resources may declare a host several times: the first speaks for it, and
 * of the others there are the ports that it has not, and the endpoints, each for the ports of its own declaration (istio
 * pilot/pkg/model, sidecar.go and push_context.go).
 */
export function merged(services: readonly ServiceSpec[]): ServiceSpec[] {
  const found = new Map<string, ServiceSpec>();
  for (const service of services) {
    const key = `${service.namespace}/${service.host}`;
    const first = found.get(key);
    found.set(key, first === undefined ? service : withOther(first, service));
  }
  return [...found.values()];
}

/** A service with the ports and endpoints of another declaration of its host. */
export function withOther(service: ServiceSpec, other: Pick<ServiceSpec, 'ports' | 'outside'>): ServiceSpec {
  const outside = [...(service.outside ?? []), ...(other.outside ?? [])];
  return {
    ...service,
    ports: [...service.ports, ...other.ports.filter(({ port }) => !has(service.ports, port))],
    ...(outside.length === 0 ? {} : { outside }),
  };
}

function has(ports: readonly ServicePort[], wanted: number): boolean {
  return ports.some(({ port }) => port === wanted);
}

/** Of the services of one host in several namespaces the one that a caller means: its own namespace's, else the first. */
export function onePerHost(services: readonly ServiceSpec[], namespace: string): ServiceSpec[] {
  const found = new Map<string, ServiceSpec>();
  for (const service of services) {
    const known = found.get(service.host);
    if (known === undefined || (service.namespace === namespace && known.namespace !== namespace))
      found.set(service.host, service);
  }
  return [...found.values()];
}
