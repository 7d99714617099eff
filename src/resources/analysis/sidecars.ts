import { nearest } from '../../model/nearest.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Sidecar } from '../istio/others.js';
import { ofKind } from '../resource.js';
import { fullHost } from '../words.js';
import type { Tell, World } from './world.js';

/** Hosts that Sidecars let through and that there are not, and an outboundTrafficPolicy that does not say which. */
export function analyzeSidecars(world: World, tell: Tell): void {
  for (const sidecar of ofKind<Sidecar>(world.resources, 'istio', 'Sidecar')) {
    const { egress = [], outboundTrafficPolicy: policy } = sidecar.spec;
    if (policy !== undefined && policy.mode === undefined)
      tell(
        'KIA1007',
        'info',
        sidecar,
        sourceOf(sidecar.spec, 'outboundTrafficPolicy'),
        'outboundTrafficPolicy names no mode, which is REGISTRY_ONLY: calls to unknown hosts fail',
        { hint: 'mode: REGISTRY_ONLY or mode: ALLOW_ANY' },
      );
    if (!world.complete) continue;
    for (const { hosts } of egress)
      for (const [i, entry] of hosts.entries()) {
        const [where = '', name = ''] = entry.split('/');
        if (where === '~' || name === '*' || name === '') continue;
        const host = fullHost(name, where === '.' || where === '*' ? sidecar.namespace : where);
        if (!isThere(world, host))
          tell('KIA1004', 'warning', sidecar, sourceOf(hosts, i), `the host ${name} is not in the mesh`, {
            hint: remedy(world, host),
          });
      }
  }
}

function remedy({ services }: World, host: string): string {
  const hosts = services.map((service) => service.host);
  const close = nearest(host, hosts);
  return close === null ? `there are: ${hosts.join(', ')}` : `did you mean ${close}?`;
}

function isThere(world: World, host: string): boolean {
  if (!host.startsWith('*')) return world.serviceOf(host) !== null;
  return world.services.some((service) => service.host.endsWith(host.slice(1)));
}
