import { selects } from '../model/app.js';
import { hostMatches } from '../model/host-match.js';
import type { RouteRule, RouteSet } from '../model/policies.js';
import type { Caller } from './caller.js';
import { specificity } from './destinations.js';
import { aboutHost } from './lookup.js';

/** The routes of one resource that are in force for a caller and a host. */
export interface RoutesInForce {
  readonly set: RouteSet;
  readonly rules: readonly RouteRule[];
}

/**
 * Which resource's routes a caller's requests for a host meet: as a whole one of them, never two. A rule that is for other
 * callers or another port does not exist here, and neither does a resource of which no rule is left (observed on Istio:
 * then the next one, or the plain service, answers). Order: routes of the caller's own namespace where the dialect says so,
 * the more specific host, the older, the first by name, then by namespace.
 */
export function routesInForce(
  host: string,
  port: number,
  caller: Caller,
  sets: readonly RouteSet[],
): RoutesInForce | null {
  const candidates = aboutHost(host, sets, (set) => set.hosts).filter(
    (set) =>
      set.gateways.includes('mesh') &&
      (set.port === null || set.port === port) &&
      set.exceptPorts?.includes(port) !== true &&
      (set.visibleTo === null || set.visibleTo.includes(caller.namespace)),
  );
  for (const set of candidates.toSorted((a, b) => compare(a, b, host, caller))) {
    const rules = set.rules.filter((rule) => isMeant(rule, port, caller, set.gateways));
    if (rules.length > 0) return { set, rules };
  }
  return null;
}

function compare(a: RouteSet, b: RouteSet, host: string, caller: Caller): number {
  const own = (set: RouteSet): number => (set.firstFor === '*' || set.firstFor === caller.namespace ? 0 : 1);
  return (
    own(a) - own(b) ||
    bestMatch(b, host) - bestMatch(a, host) ||
    a.created - b.created ||
    order(a.object.name, b.object.name) ||
    order(a.object.namespace, b.object.namespace)
  );
}

function bestMatch(set: RouteSet, host: string): number {
  return Math.max(...set.hosts.filter((pattern) => hostMatches(pattern, host)).map(specificity));
}

function order(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** Whether a rule exists for a caller and a port. */
export function isMeant(
  { scope }: Pick<RouteRule, 'scope'>,
  port: number,
  caller: Caller,
  gateways: readonly string[],
): boolean {
  if (scope.port !== null && scope.port !== port) return false;
  return (scope.gateways ?? gateways).includes('mesh') && isFor({ scope }, caller);
}

/** Whether a rule is for a caller. A match that names gateways itself is not asked who calls (istio `sourceMatchHTTP`). */
export function isFor({ scope }: Pick<RouteRule, 'scope'>, { namespace, labels }: Caller): boolean {
  if (scope.gateways !== null) return true;
  return (scope.sourceNamespace ?? namespace) === namespace && selects(scope.sourceLabels, labels);
}
