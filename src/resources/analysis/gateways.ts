import { sourceOf } from '../../yaml/positions.js';
import type { Gateway } from '../istio/others.js';
import type { VirtualService } from '../istio/virtual-service.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/** Gateways and what is bound to them. */
export function analyzeGateways(world: World, tell: Tell): void {
  const gateways = ofKind<Gateway>(world.resources, 'istio', 'Gateway');
  for (const [i, gateway] of gateways.entries()) checkOverlap(gateway, gateways.slice(0, i), tell);
  for (const service of ofKind<VirtualService>(world.resources, 'istio', 'VirtualService'))
    checkHosts(gateways, service, tell);
}

function hostsOf({ spec }: Resource<Gateway>): { host: string; port: number }[] {
  return (spec.servers ?? []).flatMap(({ hosts = [], port }) =>
    hosts.map((host) => ({ host: host.split('/').at(-1) ?? host, port: port.number ?? 0 })),
  );
}

function checkOverlap(gateway: Resource<Gateway>, others: readonly Resource<Gateway>[], tell: Tell): void {
  const selector = (one: Resource<Gateway>): string => JSON.stringify(Object.entries(one.spec.selector ?? {}).sort());
  for (const other of others) {
    if (selector(other) !== selector(gateway)) continue;
    const shared = hostsOf(gateway).find((own) =>
      hostsOf(other).some((one) => one.port === own.port && one.host === own.host),
    );
    if (shared !== undefined)
      tell(
        'IST0145',
        'error',
        gateway,
        null,
        `${other.namespace}/${other.name} serves ${shared.host} on port ${shared.port} with the same selector: which of them answers is chance`,
        { also: ['KIA0301'] },
      );
  }
}

/** A host that the Gateway does not serve is reached by nobody. */
function checkHosts(gateways: readonly Resource<Gateway>[], object: Resource<VirtualService>, tell: Tell): void {
  const { gateways: names = [], hosts = [] } = object.spec;
  for (const name of names) {
    const full = name.includes('/') ? name : `${object.namespace}/${name}`;
    const gateway = gateways.find((one) => `${one.namespace}/${one.name}` === full);
    if (gateway === undefined) continue;
    const served = hostsOf(gateway).map(({ host }) => host);
    for (const [i, host] of hosts.entries())
      if (!served.some((own) => fits(own, host) || fits(host, own)))
        tell(
          'IST0132',
          'warning',
          object,
          sourceOf(hosts, i),
          `the Gateway ${name} does not serve the host ${host}, so nothing reaches it from there`,
          {
            hint: `it serves: ${served.join(', ')}`,
          },
        );
  }
}

function fits(pattern: string, host: string): boolean {
  return pattern === '*' || pattern === host || (pattern.startsWith('*') && host.endsWith(pattern.slice(1)));
}
