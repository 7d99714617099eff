import type { Consideration } from '../model/exchange.js';
import type { Route } from '../model/route.js';
import { type Condition, conditionsOf, type Subject } from './match.js';

/** So many rules are told of one request. */
const MOST = 32;

const conditions = new WeakMap<Route, readonly Condition[]>();

/**
 * What became of each route of a host for one request, in the order in which they are asked, up to the one that was met:
 * the first condition that did not hold, or '' for the one that was met.
 */
export function consider(routes: readonly Route[], subject: Subject): Consideration[] {
  const told: Consideration[] = [];
  for (const route of routes) {
    const failing = failingOf(route, subject);
    if (told.length < MOST) told.push({ rule: ruleText(route), source: route.origin?.source ?? null, why: failing });
    if (failing === '') break;
  }
  return told;
}

function failingOf(route: Route, subject: Subject): string {
  let known = conditions.get(route);
  if (known === undefined) {
    known = conditionsOf(route.match);
    conditions.set(route, known);
  }
  const failing = known.find(({ test }) => !test(subject));
  return failing === undefined ? '' : `it wants ${failing.wants}, which is ${failing.has(subject)}`;
}

/** `rule 2 of VirtualService default/reviews (jason)`, or `route default`. */
export function ruleText({ name, origin }: Pick<Route, 'name' | 'origin'>): string {
  if (origin === undefined) return `route ${name}`;
  return `rule ${origin.rule + 1} of ${origin.object}${origin.name === undefined ? '' : ` (${origin.name})`}`;
}
