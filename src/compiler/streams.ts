import { type ServiceSpec, selects } from '../model/app.js';
import { clusterName } from '../model/names.js';
import { destinationOf, type RuleScope, type StreamRoutes } from '../model/policies.js';
import type { StreamRoute } from '../model/sidecar-config.js';
import type { Caller } from './caller.js';
import { aboutHost } from './lookup.js';
import { isMeant } from './route-sets.js';

/** Where a caller's connections to a port of a TCP service go: by the oldest resource that has a rule for them. */
export function streamFor(
  service: ServiceSpec,
  port: number,
  caller: Caller,
  { all, services }: { readonly all: readonly StreamRoutes[]; readonly services: readonly ServiceSpec[] },
): StreamRoute | null {
  const about = aboutHost(service.host, all, ({ hosts }) => hosts)
    .filter(({ gateways, visibleTo }) => gateways.includes('mesh') && (visibleTo?.includes(caller.namespace) ?? true))
    .toSorted((a, b) => a.created - b.created);
  for (const { rules, gateways } of about) {
    const rule = rules.find(({ scope }) => isMeant({ scope }, port, caller, gateways) && isOf(scope, caller));
    if (rule === undefined) continue;
    const clusters = rule.destinations.map(({ name, weight }) => {
      const { host, port: named, subset } = destinationOf(name);
      const ports = services.find((one) => one.host === host)?.ports ?? [];
      return {
        cluster: clusterName(host, named ?? (ports.length === 1 ? (ports[0]?.port ?? port) : port), subset),
        weight,
      };
    });
    return { clusters, origin: rule.origin };
  }
  return null;
}

/** Connections are asked who calls even where a match names gateways (istio `matchTCP`). */
function isOf({ sourceNamespace, sourceLabels }: RuleScope, { namespace, labels }: Caller): boolean {
  return (sourceNamespace ?? namespace) === namespace && selects(sourceLabels, labels);
}
