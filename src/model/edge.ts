import { hostMatches } from './host-match.js';
import type { GatewayPolicy, RouteRule, RouteSet, ServedHost } from './policies.js';

/** A rule at one of the hosts that a gateway serves, and the server of the gateway that does. */
export interface EdgeRule {
  readonly host: string;
  readonly rule: RouteRule;
  readonly server: ServedHost;
}

/**
 * What is bound to gateways, by gateway, the oldest resource first (Istio). A rule for another port than that of the server
 * does not exist there (istio `translateRoute`), and none does of a set that the gateway does not see.
 */
export function edgeRulesOf(
  gateways: readonly GatewayPolicy[],
  routeSets: readonly RouteSet[],
  isSeen: (set: RouteSet) => boolean = () => true,
): EdgeRule[] {
  const sets = routeSets.filter(isSeen).toSorted((a, b) => a.created - b.created);
  return gateways.flatMap(({ boundAs, hosts: servers }) =>
    sets
      .filter((set) => set.gateways.includes(boundAs))
      .flatMap(({ hosts, rules, gateways: names, object }) =>
        hosts.flatMap((host) =>
          servers
            .filter(({ namespace }) => namespace === null || namespace === object.namespace)
            .filter(({ host: served }) => hostMatches(served, host) || hostMatches(host, served))
            .flatMap((server) =>
              rules
                .filter(({ scope }) => (scope.gateways ?? names).includes(boundAs))
                .filter(({ scope }) => (scope.port ?? server.port) === server.port)
                .map((rule) => ({ host: hostMatches(server.host, host) ? host : server.host, rule, server })),
            ),
        ),
      ),
  );
}

/**
 * Whether a rule is left out since there is one port, in plaintext, where a cluster has one of HTTP and one of HTTPS: it
 * sends to the latter what finds here, on the same port, the routes that are bound there.
 */
export function isLeftOut(one: EdgeRule, all: readonly EdgeRule[]): boolean {
  return (
    !one.server.secure &&
    isUpgrade(one) &&
    all.some((other) => other.server.secure && hostMatches(other.host, one.host) && !isUpgrade(other))
  );
}

/** The same request over HTTPS is all that it asks for. */
function isUpgrade({ host, rule }: EdgeRule): boolean {
  const { action } = rule.route;
  if (action.kind !== 'redirect' || action.scheme !== 'https') return false;
  return action.path === null && (action.host === null || action.host === host);
}
