import type { PathMatch, RouteMatch } from './route.js';

/** Exact paths before prefixes before expressions, as Istio has it (the Gateway API leaves the place of expressions open). */
const KINDS: readonly PathMatch['kind'][] = ['exact', 'segments', 'prefix', 'regex'];

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

/** Both kinds of prefix are one: their length decides. What says nothing of the path comes last. */
function rank({ kind, value }: PathMatch): number {
  if (value === '') return KINDS.length;
  return kind === 'prefix' ? KINDS.indexOf('segments') : KINDS.indexOf(kind);
}
