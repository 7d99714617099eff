import { type ServiceSpec, selects } from '../model/app.js';
import { clusterName } from '../model/names.js';
import { destinationOf, type RuleScope, type StreamRoutes } from '../model/policies.js';
import type { StreamRoute } from '../model/sidecar-config.js';
import type { Caller } from './caller.js';
import { aboutHost } from './lookup.js';
import { isMeant } from './route-sets.js';

/** Where a caller's connections to a port of a TCP service go: by the oldest resource that has a rule for them. */
export function streamsFor(service: ServiceSpec, port: number, caller: Caller, around: Around): readonly StreamRoute[] {
  const about = aboutHost(service.host, around.all, ({ hosts }) => hosts)
    .filter(({ gateways, visibleTo }) => gateways.includes('mesh') && (visibleTo?.includes(caller.namespace) ?? true))
    .toSorted((a, b) => a.created - b.created);
  for (const { rules, gateways } of about) {
    const meant = rules.filter(({ scope }) => isMeant({ scope }, port, caller, gateways) && isOf(scope, caller));
    const last = meant.findIndex(({ sni }) => sni === undefined);
    if (meant.length > 0)
      return meant.slice(0, last < 0 ? meant.length : last + 1).map((rule) => streamOf(rule, port, around.services));
  }
  return [];
}

interface Around {
  readonly all: readonly StreamRoutes[];
  readonly services: readonly ServiceSpec[];
}

function streamOf(rule: StreamRoutes['rules'][number], port: number, services: readonly ServiceSpec[]): StreamRoute {
  const clusters = rule.destinations.map(({ name, weight }) => {
    const { host, port: named, subset } = destinationOf(name);
    const ports = services.find((one) => one.host === host)?.ports ?? [];
    const only = ports.length === 1 ? ports[0]?.port : undefined;
    return { cluster: clusterName(host, named ?? only ?? port, subset), weight };
  });
  return { ...(rule.sni === undefined ? {} : { sni: rule.sni }), clusters, origin: rule.origin };
}

/** Connections are asked who calls even where a match names gateways (istio `matchTCP`). */
function isOf({ sourceNamespace, sourceLabels }: RuleScope, { namespace, labels }: Caller): boolean {
  return (sourceNamespace ?? namespace) === namespace && selects(sourceLabels, labels);
}
