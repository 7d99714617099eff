import { ROOT_NAMESPACE, type ServedHost } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import { type Gateway, servedHost } from '../istio/others.js';
import { gatewaysOf } from '../istio/routes.js';
import type { VirtualService } from '../istio/virtual-service.js';
import { ofKind, type Resource } from '../resource.js';
import { visibleTo } from '../words.js';
import type { Tell, World } from './world.js';

/** Routes that the gateway they are bound to does not see. */
const HIDDEN = 'MS0161';

/** Gateways and what is bound to them. */
export function analyzeGateways(world: World, tell: Tell): void {
  const gateways = ofKind<Gateway>(world.resources, 'istio', 'Gateway');
  for (const [i, gateway] of gateways.entries()) checkOverlap(gateway, gateways.slice(0, i), tell);
  for (const service of ofKind<VirtualService>(world.resources, 'istio', 'VirtualService'))
    checkHosts(gateways, service, tell);
  for (const service of ofKind<VirtualService>(world.resources, 'istio', 'VirtualService'))
    checkExport(gateways, service, tell);
}

/** The gateway sees what is exported to the namespace where it runs. */
function checkExport(gateways: readonly Resource<Gateway>[], object: Resource<VirtualService>, tell: Tell): void {
  const { gateways: names = [], exportTo } = object.spec;
  const seen = visibleTo(exportTo, object.namespace);
  if (seen === null || seen.includes(ROOT_NAMESPACE)) return;
  const bound = gatewaysOf(names, object.namespace).filter((name) =>
    gateways.some((one) => `${one.namespace}/${one.name}` === name),
  );
  if (bound.length > 0)
    tell(
      HIDDEN,
      'warning',
      object,
      sourceOf(object.spec, 'exportTo'),
      `exportTo hides it from the gateway, which runs in ${ROOT_NAMESPACE}: nothing of it is bound to ${bound.join(', ')}`,
      { hint: `exportTo: [ ${[...(exportTo ?? []), ROOT_NAMESPACE].map((name) => JSON.stringify(name)).join(', ')} ]` },
    );
}

function hostsOf({
  spec,
  namespace,
}: Resource<Gateway>): (Pick<ServedHost, 'host' | 'namespace'> & { readonly port: number })[] {
  return (spec.servers ?? []).flatMap(({ hosts = [], port }) =>
    hosts.map((host) => ({ ...servedHost(host, namespace), port: port.number ?? 0 })),
  );
}

function checkOverlap(gateway: Resource<Gateway>, others: readonly Resource<Gateway>[], tell: Tell): void {
  for (const other of others) {
    if (!mayShare(gateway.spec.selector ?? {}, other.spec.selector ?? {})) continue;
    const shared = hostsOf(gateway).find((own) =>
      hostsOf(other).some((one) => one.port === own.port && one.host === own.host),
    );
    if (shared === undefined) continue;
    for (const [one, twin] of [
      [other, gateway],
      [gateway, other],
    ] as const)
      tell(
        'IST0145',
        'error',
        one,
        null,
        `${twin.namespace}/${twin.name} serves ${shared.host} on port ${shared.port} at the same gateway: which of them answers is chance`,
        { hint: 'one Gateway for a host and a port', also: ['KIA0301'] },
      );
  }
}

type Selector = Readonly<Record<string, string>>;

/** Whether one workload can meet both selectors: no label is asked to be two things. */
function mayShare(one: Selector, other: Selector): boolean {
  const common = Object.keys(one).filter((label) => label in other);
  const apart = Object.keys(one).length > 0 && Object.keys(other).length > 0 && common.length === 0;
  return !apart && common.every((label) => one[label] === other[label]);
}

/** A host that the Gateway does not serve is reached by nobody. */
function checkHosts(gateways: readonly Resource<Gateway>[], object: Resource<VirtualService>, tell: Tell): void {
  const { gateways: names = [], hosts = [] } = object.spec;
  for (const name of names) {
    const full = name.includes('/') ? name : `${object.namespace}/${name}`;
    const gateway = gateways.find((one) => `${one.namespace}/${one.name}` === full);
    if (gateway === undefined) continue;
    const served = hostsOf(gateway)
      .filter(({ namespace }) => namespace === null || namespace === object.namespace)
      .map(({ host }) => host);
    for (const [i, host] of hosts.entries())
      if (!served.some((own) => fits(own, host) || fits(host, own)))
        tell(
          'IST0132',
          'warning',
          object,
          sourceOf(hosts, i),
          `the Gateway ${name} does not serve the host ${host}, so nothing reaches it from there`,
          {
            hint: `it serves: ${served.join(', ') || `none for ${object.namespace}`}`,
          },
        );
  }
}

function fits(pattern: string, host: string): boolean {
  return pattern === '*' || pattern === host || (pattern.startsWith('*') && host.endsWith(pattern.slice(1)));
}
