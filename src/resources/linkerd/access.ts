import type { AccessCondition, AccessRule } from '../../model/authorization.js';
import { objectName, type PortAccess } from '../../model/policies.js';
import type { RouteMatch } from '../../model/route.js';
import { sourceOf } from '../../yaml/positions.js';
import type { AnyRoute } from '../gateway-api/any-route.js';
import { ofKind, type Resource } from '../resource.js';
import type { LinkerdAuthorizationPolicy } from './authorization-policy.js';
import { defaultAccessOf } from './default-access.js';
import { restOf } from './inbound-default.js';
import { inboundRoutesOf, type ServerMatch, serverMatchesOf } from './inbound-routes.js';
import type { Server } from './server.js';
import { placesOfServer } from './servers.js';
import { clientsOf, serverAuthorizationsFor, type Who, whoMeets } from './who.js';
import type { Reference } from './words.js';

/** What is said of one port by a Server goes before what pods and namespaces say of all of them. */
const OF_SERVER = 2;

/** Who may call which port: each Server with all that is about it, and what namespaces and pods say of the rest. */
export function portAccessOf(resources: readonly Resource[]): PortAccess[] {
  const servers = ofKind<Server>(resources, 'linkerd', 'Server');
  return [...servers.flatMap((server) => accessOfServer(server, resources)), ...defaultAccessOf(resources)];
}

function accessOfServer(server: Resource<Server>, resources: readonly Resource[]): PortAccess[] {
  const routes = serverMatchesOf(server, resources);
  const obeyed = inboundRoutesOf(routes);
  const { accessPolicy = 'deny' } = server.spec;
  const access = {
    object: server,
    precedence: OF_SERVER,
    created: server.created,
    rules: [
      ...(routes.length === 0 ? [] : [otherwiseMissing(server, routes)]),
      ...allowingServer(server, resources),
      ...[...new Set(routes.map(({ of }) => of))].flatMap((route) => allowingRoute(route, routes, resources)),
      ...restOf(accessPolicy, server, sourceOf(server.spec, 'accessPolicy')),
    ],
    ...(obeyed.length === 0 ? {} : { routes: obeyed }),
    ...spokenAt(server),
  };
  return placesOfServer(server, resources).map((place) => ({ ...access, ...place }));
}

/** Opaque ports are told, since callers' sidecars would have to know of them too; where nothing is said the app's file counts. */
function spokenAt({ spec: { proxyProtocol } }: Resource<Server>): Pick<PortAccess, 'protocol'> {
  if (proxyProtocol === 'unknown') return { protocol: 'auto' };
  return proxyProtocol?.startsWith('HTTP/') || proxyProtocol === 'gRPC' ? { protocol: 'http' } : {};
}

/** Linkerd answers 404 where a Server has routes and a request is none's, before anybody asks who calls. */
function otherwiseMissing(server: Resource<Server>, routes: readonly ServerMatch[]): AccessRule {
  const matches = routes.map(({ route }) => route.match);
  const notAny: AccessCondition = { ...routeCondition(matches, [], 'no route of the Server'), not: true };
  return { ...ruleOf(server), action: 'deny', answer: 'route_not_found', when: [notAny] };
}

function routeCondition(matches: readonly RouteMatch[], before: readonly RouteMatch[], text: string): AccessCondition {
  return { subject: { kind: 'route', matches, before }, values: [{ kind: 'present', value: '' }], not: false, text };
}

/** What lets callers in to the Server as a whole: policies of it and of its namespace. */
function allowingServer(server: Resource<Server>, resources: readonly Resource[]): AccessRule[] {
  const isMeant = ({ kind, name }: Reference): boolean =>
    (kind === 'Server' && name === server.name) || (kind === 'Namespace' && name === server.namespace);
  return [
    ...policiesOn(server.namespace, isMeant, resources),
    ...serverAuthorizationsFor(server, resources).flatMap((policy) => allowOf(policy, clientsOf(policy))),
  ];
}

/** What lets callers in to one route, beside what is said of its Server. */
function allowingRoute(route: AnyRoute, routes: readonly ServerMatch[], resources: readonly Resource[]): AccessRule[] {
  const { kind, name, namespace } = route.resource;
  const isMeant = (ref: Reference): boolean => ref.kind === kind && ref.name === name;
  return policiesOn(namespace, isMeant, resources).flatMap((rule) =>
    routes.flatMap((one, i) => (one.of === route ? [onRoute(rule, one, routes.slice(0, i))] : [])),
  );
}

/** The rule for what one match of a route takes: those of others that are asked before it take theirs first. */
function onRoute(rule: AccessRule, { of, route }: ServerMatch, earlier: readonly ServerMatch[]): AccessRule {
  const before = earlier.filter((one) => one.of !== of).map((one) => one.route.match);
  return { ...rule, when: [routeCondition([route.match], before, `a request of ${objectName(of.resource)}`)] };
}

function policiesOn(
  namespace: string,
  isMeant: (ref: Reference) => boolean,
  resources: readonly Resource[],
): AccessRule[] {
  return ofKind<LinkerdAuthorizationPolicy>(resources, 'linkerd', 'AuthorizationPolicy')
    .filter((policy) => policy.namespace === namespace && isMeant(policy.spec.targetRef))
    .flatMap((policy) => allowOf(policy, whoMeets(policy.spec.requiredAuthenticationRefs, namespace, resources)));
}

/** A policy whose authentications are not there lets nobody in. */
function allowOf(policy: Resource, who: Who): AccessRule[] {
  if (who === null) return [];
  const anybody = who.some((conditions) => conditions.length === 0);
  return [{ ...ruleOf(policy), action: 'allow', from: anybody ? [] : who }];
}

function ruleOf(resource: Resource): Omit<AccessRule, 'action'> {
  const { kind, namespace, name, source } = resource;
  return {
    enforced: true,
    name: `ns[${namespace}]-${kind}[${name}]`,
    object: objectName(resource),
    rule: 0,
    source,
    from: [],
    to: [],
    when: [],
  };
}
