import type { PathMatch, RouteMatch } from '../model/route.js';

/** Exact paths before expressions before prefixes (what Istio and Envoy Gateway make of "implementation-specific"). */
const KINDS: readonly PathMatch['kind'][] = ['exact', 'regex', 'segments', 'prefix'];

/**
 * Orders routes as the Gateway API does (HTTPRouteRule, "most specific match"): exact path, longest prefix, a method, most
 * headers, most query parameters; those that are equal in all of it stay as they were written.
 */
export function bySpecificity<R extends { readonly route: { readonly match: RouteMatch } }>(routes: readonly R[]): R[] {
  return routes.toSorted((a, b) => compare(a.route.match, b.route.match));
}

function compare(a: RouteMatch, b: RouteMatch): number {
  const [kindA, kindB] = [rank(a.path), rank(b.path)];
  return (
    kindA - kindB ||
    b.path.value.length - a.path.value.length ||
    Math.min(1, b.methods.length) - Math.min(1, a.methods.length) ||
    b.fields.length - a.fields.length ||
    b.query.length - a.query.length
  );
}

/** Both kinds of prefix are one: their length decides. */
function rank({ kind }: PathMatch): number {
  return Math.min(KINDS.indexOf(kind), KINDS.indexOf('segments'));
}
