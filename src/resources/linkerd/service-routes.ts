import { fqdn } from '../../model/names.js';
import { ANY_CALLER, destinationName, objectName, type RouteRule, type RouteSet } from '../../model/policies.js';
import { EVERYTHING, type ForwardAction, forwardTo, type RouteAction, type RouteMatch } from '../../model/route.js';
import type { ServiceObject } from '../kubernetes/service.js';
import { ofKind, type Resource } from '../resource.js';
import { type Patience, patienceOf, patienceOver } from './patience.js';

/** Services whose annotations say how patient callers are: for requests that no route is about. */
export function annotatedServiceRoutesOf(resources: readonly Resource[]): RouteSet[] {
  return ofKind<ServiceObject>(resources, 'kubernetes', 'Service').flatMap((service) => {
    // gRPC's conditions count where a GRPCRoute is about it (linkerd2 `policy-controller/grpc`).
    const patience = patienceOf(service, 'http');
    if (patience.retry === undefined && patience.timeoutMs === undefined) return [];
    const host = fqdn(service.name, service.namespace);
    return [
      {
        object: service,
        hosts: [host],
        port: null,
        gateways: ['mesh'],
        visibleTo: null,
        firstFor: null,
        // Whatever routes there are go before it.
        created: Number.MAX_SAFE_INTEGER,
        rules: [withPatience(toService(service, host, EVERYTHING), patience)],
      },
    ];
  });
}

/** A rule that leads to all of a Service, as if there were none. */
export function toService(object: Resource, host: string, match: RouteMatch): RouteRule {
  return {
    route: {
      name: `${object.namespace}/${object.name}`,
      match,
      action: toBackends([{ cluster: destinationName(host, null, ''), weight: 100 }]),
      responseFields: null,
      fault: null,
      origin: { object: objectName(object), rule: 0, match: 0, source: object.source },
    },
    defaultRetries: false,
    scope: ANY_CALLER,
  };
}

/** A backend that is not there is 500, as the Gateway API has it. */
export function toBackends(clusters: Parameters<typeof forwardTo>[0]): ForwardAction {
  return { ...forwardTo(clusters), missingStatus: 500 };
}

/** A route's own annotations, and those of the Service that it is attached to. */
export interface RoutePatience {
  readonly own: Patience;
  readonly wider: Patience | null;
}

/** Own annotations go before the fields of a rule, and those before what its Service says (linkerd2 `policy-controller`). */
export function withRoutePatience(rule: RouteRule, { own, wider }: RoutePatience): RouteRule {
  if (wider === null) return withPatience(rule, own);
  const { action } = rule.route;
  const said = action.kind === 'forward' && action.timeoutMs !== null;
  return withPatience(rule, patienceOver(own, said ? { ...wider, timeoutMs: undefined } : wider));
}

export function routePatience(
  route: Resource,
  parent: { readonly namespace: string; readonly name: string },
  resources: readonly Resource[],
): RoutePatience {
  const service = ofKind(resources, 'kubernetes', 'Service').find(
    ({ namespace, name }) => namespace === parent.namespace && name === parent.name,
  );
  const calls = route.kind === 'GRPCRoute' ? 'grpc' : 'http';
  const own = patienceOf(route, calls);
  return { own, wider: service === undefined ? null : patienceOf(service, calls) };
}

export function withPatience(rule: RouteRule, { retry, timeoutMs }: Patience): RouteRule {
  const { action } = rule.route;
  const patient: RouteAction =
    action.kind !== 'forward'
      ? action
      : { ...action, retry: retry ?? action.retry, timeoutMs: timeoutMs ?? action.timeoutMs };
  return {
    ...rule,
    defaultRetries: retry === undefined && rule.defaultRetries,
    route: { ...rule.route, action: patient },
  };
}
