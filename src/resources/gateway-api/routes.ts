import type { FlavorName } from '../../model/flavor.js';
import { fqdn } from '../../model/names.js';
import type { GatewayPolicy, RouteRule, RouteSet } from '../../model/policies.js';
import { bySpecificity } from '../../model/precedence.js';
import type { ServiceEntry } from '../istio/service-entry.js';
import { routePatience, withRoutePatience } from '../linkerd/service-routes.js';
import { ofKind, type Resource } from '../resource.js';
import { type AnyRoute, anyRoutesOf } from './any-route.js';
import { bindingOf, gatewaysOf, isHttp } from './attachments.js';
import type { ParentRef } from './http-route.js';
import { isGranted, type Parent, parentOf } from './references.js';
import { routeRulesOf } from './rules.js';
import { droppingParts } from './unobeyed.js';

/** A route at one place: what stands at the same place is merged. */
interface Placed {
  readonly place: Omit<RouteSet, 'object' | 'created' | 'rules'>;
  readonly route: AnyRoute;
  readonly rules: readonly RouteRule[];
}

/**
 * Every HTTPRoute and GRPCRoute where it is attached; those of one namespace on the same Service and port, or on the same
 * host of a listener, are one set, the most specific rule first, as old as the oldest of them.
 */
export function gatewayRouteSetsOf(resources: readonly Resource[], flavor: FlavorName): RouteSet[] {
  const byPlace = new Map<string, Placed[]>();
  for (const placed of anyRoutesOf(resources).flatMap((route) => placesOf(route, resources, flavor))) {
    const key = JSON.stringify(placed.place);
    byPlace.set(key, [...(byPlace.get(key) ?? []), placed]);
  }
  return [...byPlace.values()].map((placed) => {
    const { place, route } = placed[0] as Placed;
    // One route may name the same parent twice.
    const distinct = placed.filter((one, i) => placed.findIndex((other) => other.route === one.route) === i);
    return {
      ...place,
      object: route.resource,
      created: route.resource.created,
      rules: bySpecificity(distinct.flatMap(({ rules }) => rules)),
    };
  });
}

function placesOf(route: AnyRoute, resources: readonly Resource[], flavor: FlavorName): Placed[] {
  if (droppingParts(route).length > 0) return [];
  const asLinkerd = flavor === 'linkerd' || route.resource.dialect === 'linkerd';
  return route.parentRefs.flatMap((ref) => placesAt(route, ref, resources, asLinkerd));
}

function placesAt(route: AnyRoute, ref: ParentRef, resources: readonly Resource[], asLinkerd: boolean): Placed[] {
  const parent = parentOf(ref, route.resource.namespace);
  switch (parent.kind) {
    case 'service':
      return [
        patiently(
          inMesh({ route, ref, asLinkerd }, [fqdn(parent.name, parent.namespace)], parent.namespace),
          parent,
          resources,
        ),
      ];
    case 'service-entry':
      return [inMesh({ route, ref, asLinkerd }, entryHosts(parent, resources), parent.namespace)];
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
function inMesh(
  { route, ref, asLinkerd }: { readonly route: AnyRoute; readonly ref: ParentRef; readonly asLinkerd: boolean },
  hosts: readonly string[],
  serviceNamespace: string,
): Placed {
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
    rules: routeRulesOf({ route, listener: null, asLinkerd, parent: hosts[0] ?? null, allows: () => true }),
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
        asLinkerd: false,
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
      hosts: [{ host: listener.hostname ?? '*', namespace: null }],
    })),
  );
}
