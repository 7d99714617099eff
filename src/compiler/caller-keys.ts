import { selects } from '../model/app.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { type Caller, GATEWAY } from './caller.js';

/**
 * Tells callers apart as far as any policy does: callers of the same key are told the same. The key is the namespace, the
 * place, the name where a route of `x-mesh` names it, and what each selector of callers says of the labels.
 */
export function callerKeys({ app, policies }: MeshConfig): (caller: Caller) => string {
  const named = new Set(Object.values(app.settings).flatMap(({ routes }) => routes.flatMap(({ from }) => from)));
  const selectors = [
    ...policies.routeSets.flatMap(({ rules }) => rules.map(({ scope }) => scope.sourceLabels)),
    ...policies.streams.flatMap(({ rules }) => rules.map(({ scope }) => scope.sourceLabels)),
    ...policies.egress.map(({ callers }) => callers ?? {}),
    ...policies.destinations.map(({ callers }) => callers ?? {}),
  ].filter((selector) => Object.keys(selector).length > 0);
  const compared = [
    ...new Set(
      policies.destinations
        .flatMap(({ traffic, subsets }) => [traffic, ...subsets.map((subset) => subset.traffic)])
        .flatMap((traffic) => traffic?.balancer?.places?.failoverPriority ?? [])
        .map((label) => label.split('=')[0] ?? ''),
    ),
  ];
  return (caller) => {
    const { name, app: service, namespace, locality, labels } = caller;
    const own = named.has(name) || named.has(service) ? `${name}/${service}` : '';
    const chosen = selectors.map((selector) => (selects(selector, labels) ? '1' : '0')).join('');
    const values = compared.map((label) => labels[label] ?? '').join(',');
    return [name === GATEWAY ? GATEWAY : '', namespace, locality, own, chosen, values].join('|');
  };
}
