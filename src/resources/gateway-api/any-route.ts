import type { RouteMatch } from '../../model/route.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource } from '../resource.js';
import type { GrpcRoute } from './grpc-route.js';
import type { HttpRoute, HttpRule, ParentRef } from './http-route.js';
import { EVERY_CALL, EVERY_PATH, grpcMatchOf, httpMatchOf } from './matches.js';

/** An HTTPRoute or a GRPCRoute: but for what they match, they say the same. */
export interface AnyRoute {
  readonly resource: Resource<HttpRoute | GrpcRoute>;
  readonly parentRefs: readonly ParentRef[];
  readonly hostnames: readonly string[];
  readonly rules: readonly AnyRule[];
}

/** A rule with what it matches, each by itself. */
export interface AnyRule {
  readonly index: number;
  readonly spec: Omit<HttpRule, 'matches'>;
  readonly matches: readonly { readonly match: RouteMatch; readonly source: SourceRef }[];
}

/** A part of a route that cannot be obeyed. */
export interface Unobeyed {
  readonly source: SourceRef;
  readonly message: string;
  readonly hint: string;
}

/** Every route, the older first, then by namespace and name (HTTPRouteRule, ties across routes). */
export function anyRoutesOf(resources: readonly Resource[]): AnyRoute[] {
  const http = (['gateway-api', 'linkerd'] as const)
    .flatMap((dialect) => ofKind<HttpRoute>(resources, dialect, 'HTTPRoute'))
    .map(ofHttp);
  const grpc = ofKind<GrpcRoute>(resources, 'gateway-api', 'GRPCRoute').map(ofGrpc);
  return [...http, ...grpc].sort((a, b) => byAge(a.resource, b.resource));
}

/** The older first, then by namespace and name. */
export function byAge(a: Resource, b: Resource): number {
  return a.created - b.created || order(a.namespace, b.namespace) || order(a.name, b.name);
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

export function ofHttp(resource: Resource<HttpRoute>): AnyRoute {
  const { parentRefs = [], hostnames = [], rules = [] } = resource.spec;
  return {
    resource,
    parentRefs,
    hostnames,
    rules: rules.map((spec, index) => ({ index, spec, matches: matchesOf(spec, httpMatchOf, EVERY_PATH) })),
  };
}

export function ofGrpc(resource: Resource<GrpcRoute>): AnyRoute {
  const { parentRefs = [], hostnames = [], rules = [] } = resource.spec;
  return {
    resource,
    parentRefs,
    hostnames,
    rules: rules.map((spec, index) => ({ index, spec, matches: matchesOf(spec, grpcMatchOf, EVERY_CALL) })),
  };
}

function matchesOf<M extends object>(
  rule: { readonly matches?: readonly M[] | undefined },
  read: (match: M) => RouteMatch,
  every: RouteMatch,
): AnyRule['matches'] {
  const { matches = [] } = rule;
  if (matches.length === 0) return [{ match: every, source: sourceOf(rule) }];
  return matches.map((match, at) => ({ match: read(match), source: sourceOf(matches, at) }));
}
