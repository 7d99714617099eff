import { objectName } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import type { VirtualService } from '../istio/virtual-service.js';
import { ofKind, type Resource } from '../resource.js';
import { fullHost } from '../words.js';
import type { Tell, World } from './world.js';

/**
 * Routes of a gateway that lead to a host without a subset, while another VirtualService chooses subsets for that host: what
 * enters by the gateway obeys one VirtualService alone (istioctl's virtualservice.DestinationHostAnalyzer, which tells it of
 * a VirtualService and itself too).
 */
export function analyzeGatewaySubsets({ resources }: World, tell: Tell): void {
  const services = ofKind<VirtualService>(resources, 'istio', 'VirtualService');
  const choosing = choosersOf(services);
  if (choosing.size === 0) return;
  for (const service of services) {
    const { gateways = [], http = [] } = service.spec;
    if (gateways.every((name) => name === 'mesh')) continue;
    for (const { route = [] } of http)
      for (const { destination } of route) {
        const chooser = choosing.get(fullHost(destination.host, service.namespace));
        if (destination.subset !== undefined && destination.subset !== '') continue;
        const other = chooser?.find((one) => one !== service);
        if (other !== undefined)
          tell(
            'IST0140',
            'warning',
            service,
            sourceOf(destination, 'host'),
            `${objectName(other)} chooses subsets of ${destination.host}, and has no effect on what enters by the gateway here`,
            { hint: 'the same subsets in this rule' },
          );
      }
  }
}

type Service = Resource<VirtualService>;

/** By each host, the VirtualServices for it that send its requests to subsets of it. */
function choosersOf(services: readonly Service[]): Map<string, Service[]> {
  const found = new Map<string, Service[]>();
  for (const service of services) {
    const hosts = new Set((service.spec.hosts ?? []).map((host) => fullHost(host, service.namespace)));
    const chosen = (service.spec.http ?? [])
      .flatMap(({ route = [] }) => route)
      .filter(({ destination }) => (destination.subset ?? '') !== '')
      .map(({ destination }) => fullHost(destination.host, service.namespace))
      .filter((host) => hosts.has(host));
    for (const host of new Set(chosen)) found.set(host, [...(found.get(host) ?? []), service]);
  }
  return found;
}
