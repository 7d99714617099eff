import { ofKind, type Resource } from '../resource.js';
import type { AnyRoute } from './any-route.js';
import type { ParentRef } from './http-route.js';
import type { Gateway, Listener } from './others.js';
import { GROUP } from './words.js';

/** A listener of a Gateway and the hosts under which a route is found there. */
export interface BoundListener {
  readonly gateway: Resource<Gateway>;
  readonly listener: Listener;
  readonly hosts: readonly string[];
}

/** Why a route is not attached, in the Gateway API's words. */
export type Refusal = 'NoMatchingParent' | 'NotAllowedByListeners' | 'NoMatchingListenerHostname';

export type Binding =
  | { readonly bound: readonly BoundListener[]; readonly refusal: null }
  | { readonly bound: readonly []; readonly refusal: Refusal; readonly why: string };

/** Gateways of this class are Istio's waypoints, which a mesh of sidecars has none of. */
export const WAYPOINT = 'istio-waypoint';

export function gatewaysOf(resources: readonly Resource[]): Resource<Gateway>[] {
  return ofKind<Gateway>(resources, 'gateway-api', 'Gateway').filter(({ spec }) => spec.gatewayClassName !== WAYPOINT);
}

/** Protocols of listeners that HTTP routes go with. */
export function isHttp({ protocol }: Listener): boolean {
  return protocol === 'HTTP' || protocol === 'HTTPS';
}

/** The listeners of a Gateway that a reference of a route attaches it to. */
export function bindingOf(
  route: AnyRoute,
  ref: ParentRef,
  gateway: Resource<Gateway>,
  resources: readonly Resource[],
): Binding {
  const meant = gateway.spec.listeners.filter(
    (listener) =>
      isHttp(listener) &&
      (ref.sectionName === undefined || ref.sectionName === listener.name) &&
      (ref.port === undefined || ref.port === listener.port),
  );
  const name = `the Gateway ${gateway.namespace}/${gateway.name}`;
  if (meant.length === 0)
    return { bound: [], refusal: 'NoMatchingParent', why: `${name} has no such listener for HTTP` };
  const allowing = meant.filter((listener) => allows(listener, gateway, route.resource, resources));
  if (allowing.length === 0)
    return {
      bound: [],
      refusal: 'NotAllowedByListeners',
      why: `no listener of ${name} allows a ${route.resource.kind} of the namespace ${route.resource.namespace}`,
    };
  const bound = allowing
    .map((listener) => ({ gateway, listener, hosts: sharedHosts(route.hostnames, listener.hostname) }))
    .filter(({ hosts }) => hosts.length > 0);
  if (bound.length === 0)
    return { bound: [], refusal: 'NoMatchingListenerHostname', why: `${name} serves none of its hostnames` };
  return { bound, refusal: null };
}

function allows(
  listener: Listener,
  gateway: Resource<Gateway>,
  route: Resource,
  resources: readonly Resource[],
): boolean {
  const { namespaces, kinds = [] } = listener.allowedRoutes ?? {};
  if (kinds.length > 0 && !kinds.some(({ group = GROUP, kind }) => group === GROUP && kind === route.kind))
    return false;
  switch (namespaces?.from ?? 'Same') {
    case 'All':
      return true;
    case 'Same':
      return route.namespace === gateway.namespace;
    case 'None':
      return false;
    case 'Selector': {
      const wanted = Object.entries(namespaces?.selector?.matchLabels ?? {});
      const labels = { ...labelsOf(route.namespace, resources), 'kubernetes.io/metadata.name': route.namespace };
      return wanted.every(([name, value]) => (labels as Readonly<Record<string, string>>)[name] === value);
    }
  }
}

function labelsOf(namespace: string, resources: readonly Resource[]): Readonly<Record<string, string>> {
  return resources.find(({ kind, name }) => kind === 'Namespace' && name === namespace)?.labels ?? {};
}

/** The narrower of each pair of hosts that have requests in common. */
function sharedHosts(hostnames: readonly string[], served: string | undefined): string[] {
  if (hostnames.length === 0) return [served ?? '*'];
  if (served === undefined) return [...hostnames];
  return hostnames.flatMap((host) => (covers(served, host) ? [host] : covers(host, served) ? [served] : []));
}

function covers(wide: string, narrow: string): boolean {
  return wide === narrow || (wide.startsWith('*.') && narrow.endsWith(wide.slice(1)));
}
