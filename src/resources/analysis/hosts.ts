import { nearest } from '../../model/nearest.js';
import { objectName } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import type { DestinationRule } from '../istio/destination-rule.js';
import type { Destination, HttpRoute, VirtualService } from '../istio/virtual-service.js';
import { ofKind, type Resource } from '../resource.js';
import { fullHost, visibleTo } from '../words.js';
import type { Tell, World } from './world.js';

/** What VirtualServices refer to: hosts, subsets, ports, gateways, delegates; and who else claims their hosts. */
export function analyzeHosts(world: World, tell: Tell): void {
  const services = ofKind<VirtualService>(world.resources, 'istio', 'VirtualService');
  for (const service of services) {
    for (const destination of destinationsOf(service)) checkDestination(world, service, destination, tell);
    checkGateways(world, service, tell);
    checkDelegates(services, service, tell);
  }
  checkConflicts(services, tell);
}

/** Every destination that a VirtualService names, mirrors too. */
export function destinationsOf({ spec }: Resource<VirtualService>): Destination[] {
  const ofRule = (rule: HttpRoute): Destination[] => [
    ...(rule.route ?? []).map(({ destination }) => destination),
    ...(rule.mirror === undefined ? [] : [rule.mirror]),
    ...(rule.mirrors ?? []).map(({ destination }) => destination),
  ];
  const l4 = [...(spec.tcp ?? []), ...(spec.tls ?? [])].flatMap(({ route = [] }) =>
    route.map(({ destination }) => destination),
  );
  return [...(spec.http ?? []).flatMap(ofRule), ...l4];
}

function checkDestination(world: World, object: Resource<VirtualService>, destination: Destination, tell: Tell): void {
  const host = fullHost(destination.host, object.namespace);
  const service = world.serviceOf(host);
  if (service === null) {
    if (!world.complete) return;
    const names = world.services.map(({ name }) => name);
    const close = nearest(destination.host, [...names, ...world.services.map((one) => one.host)]);
    const dotted =
      destination.host.includes('.') &&
      host === destination.host &&
      world.serviceOf(`${host}.svc.cluster.local`) !== null;
    tell(
      'IST0101',
      'error',
      object,
      sourceOf(destination, 'host'),
      `the host ${destination.host} is not found, so its requests are answered 503 (NC)`,
      {
        hint: dotted
          ? `a name with a dot is taken as a full one: write ${host}.svc.cluster.local`
          : close === null
            ? `there are: ${names.join(', ')}`
            : `did you mean ${close}?`,
        also: ['KIA1101'],
      },
    );
    return;
  }
  const port = destination.port?.number;
  if (port === undefined && service.ports.length > 1)
    tell(
      'IST0112',
      'error',
      object,
      sourceOf(destination, 'host'),
      `${destination.host} has several ports, and the destination names none`,
      {
        hint: `port: { number: ${service.ports[0]?.port} }`,
      },
    );
  if (port !== undefined && !service.ports.some((declared) => declared.port === port))
    tell(
      'IST0101',
      'error',
      object,
      sourceOf(destination, 'port'),
      `${destination.host} has no port ${port}, so its requests are answered 503 (NC)`,
      {
        hint: `it has: ${service.ports.map((declared) => declared.port).join(', ')}`,
      },
    );
  checkSubset(world, object, destination, tell);
}

function checkSubset(world: World, object: Resource<VirtualService>, destination: Destination, tell: Tell): void {
  const { subset } = destination;
  if (subset === undefined || subset === '') return;
  const host = fullHost(destination.host, object.namespace);
  const rules = ofKind<DestinationRule>(world.resources, 'istio', 'DestinationRule').filter(
    (rule) => fullHost(rule.spec.host, rule.namespace) === host,
  );
  const names = rules.flatMap(({ spec }) => (spec.subsets ?? []).map(({ name }) => name));
  if (names.includes(subset)) return;
  const close = nearest(subset, names);
  tell(
    'IST0101',
    'error',
    object,
    sourceOf(destination, 'subset'),
    `the subset ${subset} of ${destination.host} is defined by no DestinationRule, so its requests are answered 503 (NC)`,
    {
      hint:
        close !== null
          ? `did you mean ${close}?`
          : names.length > 0
            ? `there are: ${names.join(', ')}`
            : `a DestinationRule for ${destination.host} with the subset ${subset}`,
      also: ['KIA1107'],
    },
  );
}

function checkGateways(world: World, object: Resource<VirtualService>, tell: Tell): void {
  const { gateways } = object.spec;
  const known = world.resources
    .filter(({ kind, dialect }) => kind === 'Gateway' && dialect === 'istio')
    .map(({ namespace, name }) => `${namespace}/${name}`);
  for (const [i, name] of (gateways ?? []).entries()) {
    if (name === 'mesh') continue;
    const full = name.includes('/') ? name : `${object.namespace}/${name}`;
    if (!known.includes(full))
      tell(
        'IST0101',
        'error',
        object,
        sourceOf(gateways as string[], i),
        `the Gateway ${name} is not found, so nothing enters by it`,
        {
          hint: known.length === 0 ? '' : `there are: ${known.join(', ')}`,
          also: ['KIA1102'],
        },
      );
  }
}

function checkDelegates(all: readonly Resource<VirtualService>[], object: Resource<VirtualService>, tell: Tell): void {
  for (const rule of object.spec.http ?? []) {
    const { delegate } = rule;
    if (delegate === undefined) continue;
    const namespace = delegate.namespace ?? object.namespace;
    const leaf = all.find((one) => one.name === delegate.name && one.namespace === namespace);
    if (leaf === undefined)
      tell(
        'IST0101',
        'error',
        object,
        sourceOf(delegate),
        `the delegate ${namespace}/${delegate.name} is not found: the rule does not exist`,
      );
    else if ((leaf.spec.hosts ?? []).length > 0)
      tell(
        'MS0101',
        'error',
        object,
        sourceOf(delegate),
        `${namespace}/${delegate.name} has hosts, and a delegate has none: the rule does not exist`,
      );
  }
}

/** Of two VirtualServices for one host only one is in force for a caller. */
function checkConflicts(all: readonly Resource<VirtualService>[], tell: Tell): void {
  const claims = new Map<string, Claim[]>();
  for (const service of all) {
    const { hosts = [], gateways = ['mesh'], exportTo } = service.spec;
    if (!gateways.includes('mesh')) continue;
    const seen = visibleTo(exportTo, service.namespace);
    for (const host of new Set(hosts.map((name) => fullHost(name, service.namespace))))
      claims.set(host, [...(claims.get(host) ?? []), { service, seen }]);
  }
  for (const [host, claimants] of claims) {
    const byAge = claimants.toSorted(
      ({ service: a }, { service: b }) => a.created - b.created || (a.name < b.name ? -1 : 1),
    );
    for (const claim of claimants) {
      const rivals = byAge.filter((other) => other === claim || meet(other.seen, claim.seen));
      const [winner] = rivals;
      if (rivals.length < 2 || winner === undefined) continue;
      const { service } = claim;
      tell(
        'IST0109',
        'error',
        service,
        service.spec.hosts === undefined ? null : sourceOf(service.spec.hosts),
        `${rivals.length} VirtualServices claim the host ${host} in the mesh, and ${objectName(winner.service)} alone is in force: they are not merged`,
        {
          hint: 'put their rules into one VirtualService',
          also: ['KIA1106'],
        },
      );
    }
  }
}

interface Claim {
  readonly service: Resource<VirtualService>;
  /** Namespaces of callers; null = all. */
  readonly seen: readonly string[] | null;
}

/** Whether a caller may see both. */
function meet(one: readonly string[] | null, other: readonly string[] | null): boolean {
  return one === null || other === null || one.some((namespace) => other.includes(namespace));
}
