import type { FlavorName } from '../../model/flavor.js';
import { fqdn } from '../../model/names.js';
import type { GatewayPolicy, RouteSet } from '../../model/policies.js';
import type { ServiceEntry } from '../istio/service-entry.js';
import { routePatience, withRoutePatience } from '../linkerd/service-routes.js';
import { ofKind, type Resource } from '../resource.js';
import { type AnyRoute, anyRoutesOf } from './any-route.js';
import { bindingOf, gatewaysOf, isHttp } from './attachments.js';
import type { ParentRef } from './http-route.js';
import { type Placed, setsByPlace, setsByService } from './merged-places.js';
import { isGranted, type Parent, parentOf } from './references.js';
import { routeRulesOf } from './rules.js';
import { droppingParts, type Taker, takerOf } from './unobeyed.js';

/**
 * Every HTTPRoute and GRPCRoute where it is attached; those of one namespace on the same Service and port, or on the same
 * host of a listener, are one set, the most specific rule first, as old as the oldest of them.
 */
export function gatewayRouteSetsOf(resources: readonly Resource[], flavor: FlavorName): RouteSet[] {
  const all = anyRoutesOf(resources).flatMap((route) => placesOf(route, resources, flavor));
  return flavor === 'linkerd' ? setsByService(all) : setsByPlace(all);
}

function placesOf(route: AnyRoute, resources: readonly Resource[], flavor: FlavorName): Placed[] {
  return route.parentRefs.flatMap((ref) => {
    const parent = parentOf(ref, route.resource.namespace);
    const taker = takerOf(route, parent, flavor);
    return droppingParts(route, taker).length > 0 ? [] : placesAt({ route, ref, taker }, parent, resources);
  });
}

/** A route at one of its parents, and who takes it. */
interface Attached {
  readonly route: AnyRoute;
  readonly ref: ParentRef;
  readonly taker: Taker;
}

function placesAt(attached: Attached, parent: Parent, resources: readonly Resource[]): Placed[] {
  const { route, ref } = attached;
  switch (parent.kind) {
    case 'service':
      return [patiently(inMesh(attached, [fqdn(parent.name, parent.namespace)], parent.namespace), parent, resources)];
    case 'service-entry':
      return [inMesh(attached, entryHosts(parent, resources), parent.namespace)];
    case 'gateway':
      return atGateway(route, ref, parent, resources);
    // Routes of a Server are asked at the callee.
    case 'server':
    case 'egress-network':
    case 'unknown':
      return [];
  }
}

/** Linkerd's annotations of the route, and of its Service, say how patient callers are. */
function patiently(
  placed: Placed,
  parent: { namespace: string; name: string },
  resources: readonly Resource[],
): Placed {
  const patience = routePatience(placed.route.resource, parent, resources);
  return { ...placed, rules: placed.rules.map((rule) => withRoutePatience(rule, patience)) };
}

function entryHosts(parent: Exclude<Parent, { kind: 'unknown' }>, resources: readonly Resource[]): string[] {
  const entry = ofKind<ServiceEntry>(resources, 'istio', 'ServiceEntry').find(
    ({ namespace, name }) => namespace === parent.namespace && name === parent.name,
  );
  return entry?.spec.hosts ?? [];
}

/**
 * In the Service's namespace it is for everybody (producer), elsewhere for callers of its own namespace (consumer); for
 * those of its own namespace it goes before anything older (observed). No grant is asked for (GEP-1294).
 */
function inMesh({ route, ref, taker }: Attached, hosts: readonly string[], serviceNamespace: string): Placed {
  const { namespace } = route.resource;
  return {
    place: {
      hosts,
      port: ref.port ?? null,
      gateways: ['mesh'],
      visibleTo: namespace === serviceNamespace ? null : [namespace],
      firstFor: namespace,
    },
    route,
    rules: routeRulesOf({ route, listener: null, taker, parent: hosts[0] ?? null, allows: () => true }),
  };
}

function atGateway(
  route: AnyRoute,
  ref: ParentRef,
  parent: Exclude<Parent, { kind: 'unknown' }>,
  resources: readonly Resource[],
): Placed[] {
  const gateway = gatewaysOf(resources).find(
    ({ namespace, name }) => namespace === parent.namespace && name === parent.name,
  );
  if (gateway === undefined) return [];
  return bindingOf(route, ref, gateway, resources).bound.flatMap(({ listener, hosts }) =>
    hosts.map((host) => ({
      place: {
        hosts: [host],
        port: null,
        gateways: [listenerName(gateway, listener.name)],
        visibleTo: null,
        firstFor: null,
      },
      route,
      rules: routeRulesOf({
        route,
        listener: listener.port,
        taker: 'istio',
        parent: null,
        allows: (ref) => isGranted(ref, route.resource, resources),
      }),
    })),
  );
}

function listenerName({ namespace, name }: Resource, listener: string): string {
  return `${namespace}/${name}/${listener}`;
}

/** Each HTTP listener of each Gateway is an entry of its own. */
export function gatewayListenersOf(resources: readonly Resource[]): GatewayPolicy[] {
  return gatewaysOf(resources).flatMap((gateway) =>
    gateway.spec.listeners.filter(isHttp).map((listener) => ({
      object: gateway,
      boundAs: listenerName(gateway, listener.name),
      hosts: [
        {
          host: listener.hostname ?? '*',
          namespace: null,
          port: listener.port,
          secure: listener.protocol === 'HTTPS',
        },
      ],
    })),
  );
}
