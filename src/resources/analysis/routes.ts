import { fqdn } from '../../model/names.js';
import { nearest } from '../../model/nearest.js';
import { objectName, type RouteSet } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import { type AnyRoute, anyRoutesOf } from '../gateway-api/any-route.js';
import { bindingOf, gatewaysOf } from '../gateway-api/attachments.js';
import { badReferences } from '../gateway-api/backends.js';
import type { ParentRef } from '../gateway-api/http-route.js';
import { parentOf } from '../gateway-api/references.js';
import type { VirtualService } from '../istio/virtual-service.js';
import { ofKind } from '../resource.js';
import { fullHost } from '../words.js';
import { matchCovers } from './match-covers.js';
import type { Tell, World } from './world.js';

/** Routes of the Gateway API: parents and backends that are not there, rules that no request reaches, who wins. */
export function analyzeRoutes(world: World, tell: Tell): void {
  for (const route of anyRoutesOf(world.resources)) {
    for (const ref of route.parentRefs) checkParent(world, route, ref, tell);
    checkBackends(world, route, tell);
    checkShares(route, tell);
  }
  const sets = world.routeSets();
  const once = onceOf(tell);
  for (const set of sets) checkReach(world, set, once);
  // Linkerd merges them.
  if (world.flavor !== 'linkerd') checkPorts(sets, tell);
  checkVirtualServices(world, sets, tell);
}

function checkParent(world: World, route: AnyRoute, ref: ParentRef, tell: Tell): void {
  const { resource } = route;
  const parent = parentOf(ref, resource.namespace);
  if (parent.kind === 'gateway') {
    const gateways = gatewaysOf(world.resources);
    const gateway = gateways.find(({ namespace, name }) => namespace === parent.namespace && name === parent.name);
    const known = gateways.map(({ namespace, name }) => `${namespace}/${name}`);
    const binding = gateway === undefined ? null : bindingOf(route, ref, gateway, world.resources);
    if (binding === null)
      tell(
        'KIA1401',
        'error',
        resource,
        sourceOf(ref, 'name'),
        `the Gateway ${ref.name} is not found, so nothing enters by it`,
        {
          hint: known.length === 0 ? '' : `there are: ${known.join(', ')}`,
        },
      );
    else if (binding.refusal !== null)
      tell('KIA1401', 'error', resource, sourceOf(ref), `${binding.why}, so nothing enters by it (${binding.refusal})`);
  }
  if (parent.kind !== 'service' || !world.complete) return;
  const service = world.serviceOf(fqdn(parent.name, parent.namespace));
  if (service === null)
    tell(
      'MS0140',
      'error',
      resource,
      sourceOf(ref, 'name'),
      `the Service ${ref.name} is not found in ${parent.namespace}, so the route has no effect`,
      {
        hint: `there are: ${world.services.map(({ name }) => name).join(', ')}`,
      },
    );
  else if (ref.port !== undefined && !service.ports.some(({ port }) => port === ref.port))
    tell(
      'MS0140',
      'error',
      resource,
      sourceOf(ref, 'port'),
      `${ref.name} has no port ${ref.port}, so the route has no effect`,
      {
        hint: `it has: ${service.ports.map(({ port }) => port).join(', ')}`,
      },
    );
}

const CODES = { BackendNotFound: 'KIA1402', InvalidKind: 'MS0141', RefNotPermitted: 'MS0142' } as const;

function checkBackends(world: World, route: AnyRoute, tell: Tell): void {
  const grants = route.parentRefs.some((ref) => parentOf(ref, route.resource.namespace).kind === 'gateway');
  for (const { reason, source, message, use, name } of badReferences(route, world, grants)) {
    if (reason === 'BackendNotFound' && !world.complete) continue;
    const effect = use === 'backend' ? 'its requests are answered 500' : 'no copies are sent';
    tell(CODES[reason], use === 'backend' ? 'error' : 'warning', route.resource, source, `${message}, so ${effect}`, {
      hint: remedy(reason, name, world),
    });
  }
}

function remedy(reason: keyof typeof CODES, name: string, { services }: World): string {
  if (reason === 'InvalidKind') return 'kind: Service';
  if (reason === 'RefNotPermitted') return 'a ReferenceGrant there, from routes of this namespace to its Services';
  const names = services.map((service) => service.name);
  const close = nearest(
    name,
    names.filter((known) => known !== name),
  );
  if (close !== null) return `did you mean ${close}?`;
  return names.length === 0 ? '' : `there are: ${names.join(', ')}`;
}

/** Backends that get nothing at all. */
function checkShares({ resource, rules, parentRefs }: AnyRoute, tell: Tell): void {
  // At a Server there is one place to go.
  if (parentRefs.some((ref) => parentOf(ref, resource.namespace).kind === 'server')) return;
  for (const { index, spec } of rules) {
    const { backendRefs = [], filters = [] } = spec;
    if (backendRefs.some(({ weight }) => weight !== 0) || filters.some(({ type }) => type === 'RequestRedirect'))
      continue;
    if (backendRefs.length === 0 && resource.dialect === 'linkerd') continue;
    const why = backendRefs.length === 0 ? 'has no backendRefs' : 'has backends of weight 0 only';
    tell('MS0143', 'warning', resource, sourceOf(spec), `rule ${index + 1} ${why}: its requests are answered 500`, {
      hint: 'backendRefs: [ { name: reviews, port: 9080 } ]',
    });
  }
}

/** One rule may stand in several sets. */
function onceOf(tell: Tell): Tell {
  const told = new Set<string>();
  return (code, level, object, where, message, more) => {
    const key = `${code} ${JSON.stringify(where)} ${message}`;
    if (told.has(key)) return;
    told.add(key);
    tell(code, level, object, where, message, more);
  };
}

/** Rules are asked in the order of their precedence, not as they are written. */
function checkReach({ resources }: World, { rules }: RouteSet, tell: Tell): void {
  for (const [i, { route }] of rules.entries()) {
    const before = rules.find((other, at) => at >= i || matchCovers(other.route.match, route.match));
    // It found itself: none before it meets all that it is about.
    if (before === undefined || before.route === route || route.origin === undefined) continue;
    const object = resources.find((one) => objectName(one) === route.origin?.object);
    if (object === undefined) continue;
    const { origin } = before.route;
    const expression = route.match.path.kind === 'regex' && before.route.match.path.kind === 'segments';
    tell(
      'MS0144',
      'warning',
      object,
      route.origin.source,
      `match ${route.origin.match + 1} of rule ${route.origin.rule + 1} is never reached: rule ${(origin?.rule ?? 0) + 1} of ${origin?.object} meets its requests first${expression ? ', since every prefix goes before an expression' : ''}`,
    );
  }
}

/** Routes with and without a port on one Service are not merged. */
function checkPorts(sets: readonly RouteSet[], tell: Tell): void {
  for (const set of sets) {
    const rival = sets.find(
      (other) =>
        set.gateways.includes('mesh') &&
        other.gateways.includes('mesh') &&
        other.firstFor === set.firstFor &&
        other.hosts[0] === set.hosts[0] &&
        (other.port === null) !== (set.port === null) &&
        other.created <= set.created,
    );
    if (rival !== undefined && (rival.created < set.created || set.port !== null))
      tell(
        'MS0145',
        'warning',
        set.object,
        null,
        `${objectName(rival.object)} is about ${set.hosts[0]} too, one of them with a port and one without: they are not merged, and where both apply the older one holds alone`,
        { hint: 'parentRefs with the same port' },
      );
  }
}

/** A VirtualService of the same host and a route are never merged either. */
function checkVirtualServices(world: World, sets: readonly RouteSet[], tell: Tell): void {
  for (const service of ofKind<VirtualService>(world.resources, 'istio', 'VirtualService')) {
    if (!(service.spec.gateways ?? ['mesh']).includes('mesh')) continue;
    const hosts = (service.spec.hosts ?? []).map((host) => fullHost(host, service.namespace));
    const set = sets.find((one) => one.gateways.includes('mesh') && one.hosts.some((host) => hosts.includes(host)));
    if (set !== undefined)
      tell(
        'MS0146',
        'warning',
        service,
        null,
        `${objectName(set.object)} is about ${set.hosts.join(', ')} too: they are not merged; ${set.firstFor === null ? 'the older of both holds' : `callers of ${set.firstFor} obey the route alone, others the older of both`}`,
        { hint: 'one of them' },
      );
  }
}
