import { NO_SETTINGS, type ServiceSpec } from '../model/app.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { clusterName, fqdn } from '../model/names.js';
import { destinationName, destinationOf, type RouteRule } from '../model/policies.js';
import { bySpecificity } from '../model/precedence.js';
import { EVERYTHING, forwardTo, type RetryPolicy, type Route } from '../model/route.js';
import type { VirtualHost } from '../model/sidecar-config.js';
import type { Caller } from './caller.js';
import type { UsedService } from './clusters.js';
import { hashFor } from './destinations.js';

import { defaultRetries, retryPolicy } from './retry-policy.js';
import { routesInForce } from './route-sets.js';
import { domainsOf } from './services.js';

/** The services as a caller uses them, and how their names lead to clusters. */
export interface Neighbourhood {
  readonly mesh: MeshConfig;
  readonly caller: Caller;
  readonly used: readonly UsedService[];
  readonly byHost: ReadonlyMap<string, UsedService>;
}

/** One virtual host for each HTTP port of each service that the caller sees. */
export function virtualHostsOf(around: Neighbourhood): VirtualHost[] {
  return around.used.flatMap(({ service }) =>
    service.ports
      .filter(({ protocol }) => protocol !== 'tcp')
      .map(({ port }) => ({
        name: service.name,
        port,
        domains: domainsOf(service, around.caller),
        routes: routesOf(around, service, port),
      })),
  );
}

/** What a resource says, else what `x-mesh` says, else the one route to all that the service stands for. */
export function routesOf(around: Neighbourhood, service: ServiceSpec, port: number): Route[] {
  const { mesh, caller } = around;
  const inForce = routesInForce(service.host, port, caller, mesh.policies.routeSets);
  if (inForce !== null) return inForce.rules.map((rule) => resolvedRule(around, rule, port));
  const settings = mesh.app.settings[service.name] ?? NO_SETTINGS;
  if (settings.routes.length === 0) return [defaultRoute(around, service, port)];
  const meant = settings.routes.filter(
    ({ from }) => from.length === 0 || from.includes(caller.name) || from.includes(caller.app),
  );
  const ordered = settings.precedence === 'first' ? meant : bySpecificity(meant);
  return ordered.map(({ route, retries }) => {
    const retry = mesh.retries ? retryPolicy(service.name, retries ?? settings.retries, mesh.flavor) : null;
    return { ...route, action: resolved(around, ofApp(mesh, route.action), retry, port) };
  });
}

/** `x-mesh` names services and versions; from here on they are hosts and subsets. */
function ofApp(mesh: MeshConfig, action: Route['action']): Route['action'] {
  if (action.kind !== 'forward') return action;
  const nameOf = (destination: string): string => {
    const [service = '', version = ''] = destination.split('/');
    const host = mesh.app.services.find(({ name }) => name === service)?.host ?? fqdn(service);
    return destinationName(host, null, version);
  };
  return {
    ...action,
    clusters: action.clusters.map((entry) => ({ ...entry, cluster: nameOf(entry.cluster) })),
    mirrors: action.mirrors.map((entry) => ({ ...entry, cluster: nameOf(entry.cluster) })),
  };
}

/** A rule of a resource as a sidecar obeys it. */
export function resolvedRule(around: Neighbourhood, rule: RouteRule, port: number): Route {
  const { defaultRetries: asMesh, route } = rule;
  const { action } = route;
  // The port that HTTP has by itself is not written (Envoy).
  if (action.kind === 'redirect' && action.ownPort)
    return { ...route, action: { ...action, port: port === 80 ? null : port } };
  if (action.kind !== 'forward') return route;
  const { mesh } = around;
  const hash = action.clusters.flatMap(({ cluster }) => {
    const { host, port: named, subset } = destinationOf(cluster);
    return hashFor(around.byHost.get(host)?.rules ?? null, subset, named);
  });
  const wanted = asMesh ? defaultRetries(mesh.flavor) : action.retry;
  // Where a hash chooses, a route of one's own does not look for another endpoint (observed on Istio).
  const retry = wanted === null || hash.length === 0 ? wanted : { ...wanted, avoidTriedHosts: false };
  return { ...route, action: resolved(around, { ...action, hash }, mesh.retries ? retry : null, port) };
}

/**
 * Names of destinations as names of clusters; a port that is left open is the service's only one, else the one that was
 * called. A destination that does not exist stays, and is answered 503 (`NC`).
 */
function resolved(
  around: Neighbourhood,
  action: Route['action'],
  retry: RetryPolicy | null,
  called: number,
): Route['action'] {
  if (action.kind !== 'forward') return action;
  const nameOf = (destination: string): string => {
    const { host, port, subset } = destinationOf(destination);
    const ports = around.byHost.get(host)?.service.ports ?? [];
    const open = ports.length === 1 ? ports[0]?.port : called;
    return clusterName(host, port ?? open ?? called, subset);
  };
  return {
    ...action,
    retry,
    clusters: action.clusters.map((entry) => ({ ...entry, cluster: nameOf(entry.cluster) })),
    mirrors: action.mirrors.map((entry) => ({ ...entry, cluster: nameOf(entry.cluster) })),
  };
}

/** All that the service stands for, with its timeout and retries: what a mesh does without any policy. */
export function defaultRoute({ mesh, byHost }: Neighbourhood, service: ServiceSpec, port: number): Route {
  const settings = mesh.app.settings[service.name];
  return {
    name: 'default',
    match: EVERYTHING,
    action: {
      ...forwardTo([{ cluster: clusterName(service.host, port, ''), weight: 100 }]),
      timeoutMs: settings?.timeoutMs ?? mesh.flavor.timeoutMs,
      retry: mesh.retries ? retryPolicy(service.name, settings?.retries ?? null, mesh.flavor) : null,
      hash: hashFor(byHost.get(service.host)?.rules ?? null, '', port),
    },
    responseFields: null,
    fault: null,
  };
}
