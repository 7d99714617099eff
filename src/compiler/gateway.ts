import { PORTS } from '../model/names.js';
import type { GatewayPolicy, RouteRule } from '../model/policies.js';
import type { VirtualHost } from '../model/sidecar-config.js';
import { hostMatches } from './services.js';
import { defaultRoute, type Neighbourhood, resolvedRule, routesOf } from './virtual-hosts.js';

/**
 * What arrives from outside: once the team brings a Gateway, what is bound to it; before, everything goes to the service
 * that the app names.
 */
export function edgeHosts(around: Neighbourhood): VirtualHost[] {
  const { gateways } = around.mesh.policies;
  return gateways.length === 0 ? [appHost(around)] : boundHosts(around, gateways);
}

/** Istio's gateways obey what is bound to them alone; those of the others call a service as its other callers do. */
function appHost(around: Neighbourhood): VirtualHost {
  const { app, flavor } = around.mesh;
  const { service: name, port } = app.gateway;
  const service = app.services.find((candidate) => candidate.name === name);
  return {
    name,
    port: PORTS.gateway,
    domains: ['*'],
    routes:
      service === undefined
        ? []
        : flavor.name === 'istio'
          ? [{ ...defaultRoute(around, service, port), name: 'gateway' }]
          : routesOf(around, service, port),
  };
}

/** Routes of all resources bound to gateways, by host; those of one host are one list, the oldest resource first (Istio). */
function boundHosts(around: Neighbourhood, gateways: readonly GatewayPolicy[]): VirtualHost[] {
  const byHost = new Map<string, RouteRule[]>();
  const sets = around.mesh.policies.routeSets.toSorted((a, b) => a.created - b.created);
  for (const gateway of gateways)
    for (const { hosts, rules, gateways: names, object } of sets) {
      if (!names.includes(gateway.boundAs)) continue;
      const meant = rules.filter(({ scope }) => (scope.gateways ?? names).includes(gateway.boundAs));
      for (const host of hosts)
        for (const { host: served, namespace } of gateway.hosts) {
          if (namespace !== null && namespace !== object.namespace) continue;
          if (!hostMatches(served, host) && !hostMatches(host, served)) continue;
          const narrower = hostMatches(served, host) ? host : served;
          byHost.set(narrower, [...(byHost.get(narrower) ?? []), ...meant]);
        }
    }
  return [...byHost].map(([host, rules]) => ({
    name: host,
    port: PORTS.gateway,
    domains: [host],
    routes: rules.map((rule) => resolvedRule(around, rule, PORTS.gateway)),
  }));
}
