import { READING } from '../../model/finding.js';
import { hostMatches } from '../../model/host-match.js';
import { nearest } from '../../model/nearest.js';
import { sourceOf } from '../../yaml/positions.js';
import { egressHostsOf, type Sidecar } from '../istio/others.js';
import { ofKind, type Resource } from '../resource.js';
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
    tellHidden(world, sidecar, tell);
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

/**
 * With ALLOW_ANY, which holds where nothing is said, Istio passes calls to a hidden service on to its address, in plaintext
 * and past its routes (PassthroughCluster); here they find nothing, as with REGISTRY_ONLY.
 */
function tellHidden({ services }: World, sidecar: Resource<Sidecar>, tell: Tell): void {
  const { egress, outboundTrafficPolicy: policy } = sidecar.spec;
  if (egress === undefined || (policy !== undefined && policy.mode !== 'ALLOW_ANY')) return;
  const entries = egressHostsOf(sidecar);
  const hidden = services.filter(({ namespace, host }) => {
    const seen = entries.some(
      (entry) =>
        hostMatches(entry.host, host) &&
        [namespace, '*'].includes(entry.namespace === '.' ? sidecar.namespace : entry.namespace),
    );
    return !seen && !host.startsWith('*');
  });
  if (hidden.length === 0) return;
  const names = hidden.map(({ name }) => name);
  const some =
    names.length > MOST ? `${names.slice(0, MOST).join(', ')} and ${names.length - MOST} more` : names.join(', ');
  tell(
    READING.unsupportedField,
    'warning',
    sidecar,
    sourceOf(sidecar.spec, 'egress'),
    `calls to what its hosts leave out (${some}) fail: that ALLOW_ANY passes them on in plaintext, past all routes, is not obeyed`,
    {
      hint: 'the hosts that are called, or outboundTrafficPolicy: { mode: REGISTRY_ONLY }, where a cluster refuses them too',
    },
  );
}

/** So many names stand in a sentence. */
const MOST = 5;

function remedy({ services }: World, host: string): string {
  const hosts = services.map((service) => service.host);
  const close = nearest(host, hosts);
  return close === null ? `there are: ${hosts.join(', ')}` : `did you mean ${close}?`;
}

function isThere(world: World, host: string): boolean {
  if (!host.startsWith('*')) return world.serviceOf(host) !== null;
  return world.services.some((service) => service.host.endsWith(host.slice(1)));
}
