import { edgeRulesOf, isLeftOut } from '../model/edge.js';
import { PORTS } from '../model/names.js';
import type { GatewayPolicy, RouteRule } from '../model/policies.js';
import type { VirtualHost } from '../model/sidecar-config.js';
import { GATEWAY_HOME } from './caller.js';
import { isFor } from './route-sets.js';
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

/** Routes of all resources bound to gateways, by host; those of one host are one list, each rule once. */
function boundHosts(around: Neighbourhood, gateways: readonly GatewayPolicy[]): VirtualHost[] {
  const { routeSets } = around.mesh.policies;
  const all = edgeRulesOf(gateways, routeSets, ({ visibleTo }) => visibleTo?.includes(GATEWAY_HOME) ?? true);
  const meant = all.filter(({ rule }) => isFor(rule, { ...around.caller, namespace: GATEWAY_HOME }));
  const byHost = new Map<string, Set<RouteRule>>();
  for (const one of meant) {
    const rules = byHost.get(one.host) ?? new Set();
    if (!isLeftOut(one, meant)) byHost.set(one.host, rules.add(one.rule));
  }
  return [...byHost].map(([host, rules]) => ({
    name: host,
    port: PORTS.gateway,
    domains: [host],
    routes: [...rules].map((rule) => resolvedRule(around, rule, PORTS.gateway)),
  }));
}
