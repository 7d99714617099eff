import { type InboundRoute, saysAnything } from '../../model/inbound-route.js';
import { objectName } from '../../model/policies.js';
import { bySpecificity } from '../../model/precedence.js';
import type { RouteMatch } from '../../model/route.js';
import { type AnyRoute, type AnyRule, anyRoutesOf } from '../gateway-api/any-route.js';
import type { ParentRef } from '../gateway-api/http-route.js';
import { parentOf } from '../gateway-api/references.js';
import type { Resource } from '../resource.js';
import type { Server } from './server.js';
import { ignoringFilters, serverFilters } from './server-filters.js';
import { atHost, hostRank } from './server-hosts.js';

/** A match of a route at a Server, in the order in which they are asked. */
export interface ServerMatch {
  readonly of: AnyRoute;
  readonly rule: AnyRule;
  /** Which of the rule's matches. */
  readonly at: number;
  readonly route: { readonly match: RouteMatch };
}

/** What the routes attached to a Server match, the most specific first. */
export function serverMatchesOf(server: Resource<Server>, resources: readonly Resource[]): ServerMatch[] {
  const { namespace, name } = server;
  const attached = anyRoutesOf(resources).filter(
    (route) => route.resource.namespace === namespace && serversOf(route).includes(name) && isSpokenAt(server, route),
  );
  const matches = attached.flatMap((of) =>
    of.rules.flatMap((rule) => rule.matches.map(({ match }, at) => ({ of, rule, at, route: { match } }))),
  );
  return bySpecificity(matches)
    .flatMap((one) =>
      hostsOf(one.of).map((host) => ({ ...one, host, route: { match: atHost(one.route.match, host) } })),
    )
    .toSorted((a, b) => hostRank(b.host) - hostRank(a.host));
}

function hostsOf({ hostnames }: AnyRoute): readonly (string | null)[] {
  return hostnames.length === 0 ? [null] : hostnames;
}

/** Whether a route is of what a Server speaks: GRPCRoutes count at gRPC alone, HTTPRoutes at HTTP and where nobody says (linkerd2 policy-controller/grpc, inbound.rs). */
export function isSpokenAt({ spec: { proxyProtocol = 'unknown' } }: Resource<Server>, { resource }: AnyRoute): boolean {
  return resource.kind === 'GRPCRoute'
    ? proxyProtocol === 'gRPC'
    : proxyProtocol === 'unknown' || proxyProtocol.startsWith('HTTP/');
}

/** Names of the Servers that a route is attached to; none where a part of it makes Linkerd ignore all of it. */
export function serversOf(route: AnyRoute): string[] {
  const refs = serverRefsOf(route);
  if (refs.some((ref) => badPartOf(ref, route) !== null) || ignoringFilters(route).length > 0) return [];
  return refs.map(({ name }) => name);
}

export function serverRefsOf({ resource, parentRefs }: AnyRoute): ParentRef[] {
  return parentRefs.filter((ref) => parentOf(ref, resource.namespace).kind === 'server');
}

/** What must not stand in a reference to a Server (linkerd2 policy-controller/k8s/index, inbound/routes.rs); null = nothing. */
export function badPartOf(ref: ParentRef, { resource }: AnyRoute): 'namespace' | 'port' | 'sectionName' | null {
  if ((ref.namespace ?? resource.namespace) !== resource.namespace) return 'namespace';
  if (ref.port !== undefined) return 'port';
  return ref.sectionName === undefined ? null : 'sectionName';
}

/** What becomes of requests that are let in; nothing where no rule has a filter. */
export function inboundRoutesOf(matches: readonly ServerMatch[]): InboundRoute[] {
  const routes = matches.map(inboundRouteOf);
  return routes.some(saysAnything) ? routes : [];
}

function inboundRouteOf({ of: { resource }, rule, at, route: { match } }: ServerMatch): InboundRoute {
  const { name, filters = [] } = rule.spec;
  return {
    name: name ?? `${resource.namespace}/${resource.name}#${rule.index + 1}`,
    match,
    ...serverFilters(filters, match),
    origin: {
      object: objectName(resource),
      rule: rule.index,
      match: at,
      ...(name === undefined ? {} : { name }),
      source: rule.matches[at]?.source ?? resource.source,
    },
  };
}
