import type { RouteRule, RouteSet } from '../../model/policies.js';
import { bySpecificity } from '../../model/precedence.js';
import type { AnyRoute } from './any-route.js';

/** A route at one place. */
export interface Placed {
  readonly place: Omit<RouteSet, 'object' | 'created' | 'rules'>;
  readonly route: AnyRoute;
  readonly rules: readonly RouteRule[];
}

/** What stands at the same place is one set, the most specific rule first, as old as the oldest; another place is another. */
export function setsByPlace(all: readonly Placed[]): RouteSet[] {
  return grouped(all, ({ place }) => place).map((placed) => setOf((placed[0] as Placed).place, placed));
}

/**
 * Linkerd's way: every route of a Service that is about a port and a caller counts there, with a port or without one, of the
 * Service's namespace or of the caller's; where one of them is a GRPCRoute, HTTPRoutes do not (linkerd2 `policy-controller`).
 */
export function setsByService(all: readonly Placed[]): RouteSet[] {
  const inMesh = ({ place }: Placed): boolean => place.gateways.includes('mesh');
  const services = grouped(all.filter(inMesh), ({ place }) => place.hosts);
  return [...setsByPlace(all.filter((placed) => !inMesh(placed))), ...services.flatMap(setsOfService)];
}

function setsOfService(all: readonly Placed[]): RouteSet[] {
  const ports = [...new Set(all.map(({ place }) => place.port))].filter((port) => port !== null);
  const namespaces = [...new Set(all.flatMap(({ place }) => place.visibleTo ?? []))];
  return [...namespaces, null].flatMap((namespace) =>
    [...ports, null].flatMap((port) => {
      const meant = all.filter(
        ({ place }) =>
          (place.port === null || place.port === port) &&
          (place.visibleTo === null || (namespace !== null && place.visibleTo.includes(namespace))),
      );
      const grpc = meant.filter(({ route }) => route.resource.kind === 'GRPCRoute');
      const holding = grpc.length > 0 ? grpc : meant;
      const [first] = holding;
      if (first === undefined) return [];
      const place = {
        ...first.place,
        port,
        visibleTo: namespace === null ? null : [namespace],
        firstFor: namespace,
        ...(port === null && ports.length > 0 ? { exceptPorts: ports } : {}),
      };
      return [setOf(place, holding)];
    }),
  );
}

function grouped(all: readonly Placed[], keyOf: (placed: Placed) => unknown): Placed[][] {
  const groups = new Map<string, Placed[]>();
  for (const placed of all) {
    const key = JSON.stringify(keyOf(placed));
    const group = groups.get(key);
    if (group === undefined) groups.set(key, [placed]);
    else group.push(placed);
  }
  return [...groups.values()];
}

function setOf(place: Placed['place'], placed: readonly Placed[]): RouteSet {
  const { resource } = (placed[0] as Placed).route;
  // One route may name the same parent twice.
  const distinct = placed.filter((one, i) => placed.findIndex((other) => other.route === one.route) === i);
  return {
    ...place,
    object: resource,
    created: resource.created,
    rules: bySpecificity(distinct.flatMap(({ rules }) => rules)),
  };
}
