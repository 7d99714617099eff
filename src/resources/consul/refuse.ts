import type { Finding } from '../../model/finding.js';
import { nearest } from '../../model/nearest.js';
import { objectName } from '../../model/policies.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource, reporter } from '../resource.js';
import { aimedAt, Chain, type Target, targetOf } from './chain.js';
import type { Mesh, ServiceDefaults, ServiceIntentions } from './defaults.js';
import { destinationOf } from './destination.js';
import { HTTP_LIKE, protocolOf } from './protocols.js';
import { issuersOf, providersIn } from './tokens.js';

/** What is refused for what stands in another entry; each one alone may be well. */
export const REFUSED = {
  /** A router or a splitter of a service whose protocol has no requests. */
  protocol: 'MS0220',
  /** `permissive` where the Mesh entry does not let it. */
  permissive: 'MS0221',
  /** A subset that no resolver has. */
  subset: 'MS0223',
  /** Redirects or splits that come back to where they began. */
  circle: 'MS0227',
  /** One chain, several protocols. */
  mixed: 'MS0228',
  /** Two entries about the intentions of one destination. */
  twice: 'MS0229',
  /** A token of a provider that there is not. */
  provider: 'MS0234',
} as const;

/** Takes one refusal: an error of an entry, at a place of it (null = the whole), with what to write. */
type Refuse = (entry: Resource, code: string, at: SourceRef | null, message: string, hint: string) => void;

/** What Consul would refuse to write, seen from all entries together. */
export function consulRefusals(resources: readonly Resource[]): Finding[] {
  const found: Finding[] = [];
  checkTogether(resources, (entry, code, at, ...words) => reporter(entry, found)(code, 'error', at, ...words));
  return found;
}

export function checkTogether(resources: readonly Resource[], refuse: Refuse): void {
  const chain = new Chain(resources);
  const protocol = protocolOf(resources);
  const isTcp = (service: string): boolean => !HTTP_LIKE.has(protocol(service) ?? 'http');
  for (const entry of [...chain.routers.values(), ...chain.splitters.values()])
    if (isTcp(entry.name))
      refuse(
        entry,
        REFUSED.protocol,
        null,
        `${entry.name} speaks ${protocol(entry.name)}, which permits neither routing nor splitting`,
        `a ServiceDefaults ${entry.name} with protocol: http`,
      );
  for (const used of aimsOf(chain)) {
    checkSubset(used, chain, refuse);
    checkProtocol(used, protocol, refuse);
  }
  checkCircles(chain, refuse);
  checkAccess(resources, isTcp, refuse);
  checkPermissive(resources, refuse);
}

/** A place of an entry that sends calls to a service. */
interface Aim {
  readonly entry: Resource;
  readonly target: Target;
  readonly at: SourceRef;
}

/** Every target that routers, splitters and resolvers name. */
function aimsOf({ routers, splitters, resolvers }: Chain): Aim[] {
  return [
    ...[...routers.values()].flatMap((entry) =>
      (entry.spec.routes ?? []).flatMap(({ destination }) =>
        destination === undefined
          ? []
          : [{ entry, target: targetOf(destination, entry.name), at: sourceOf(destination) }],
      ),
    ),
    ...[...splitters.values()].flatMap((entry) =>
      (entry.spec.splits ?? []).map((split) => ({ entry, target: targetOf(split, entry.name), at: sourceOf(split) })),
    ),
    ...[...resolvers.values()].flatMap((entry) => {
      const { redirect, failover = {} } = entry.spec;
      const aims = Object.values(failover).flatMap((one) => one.targets ?? [one]);
      return [...(redirect === undefined ? [] : [redirect]), ...aims].map((aim) => ({
        entry,
        target: aimedAt(targetOf({}, entry.name), aim),
        at: sourceOf(aim),
      }));
    }),
  ];
}

function checkSubset({ entry, target, at }: Aim, chain: Chain, refuse: Refuse): void {
  const { service, subset } = target;
  const known = Object.keys(chain.resolverOf(target)?.spec.subsets ?? {});
  if (subset === '' || known.includes(subset)) return;
  const close = nearest(subset, known);
  refuse(
    entry,
    REFUSED.subset,
    at,
    `no ServiceResolver ${service} has a subset ${subset}`,
    close === null ? `a ServiceResolver ${service} with the subset ${subset}` : `did you mean ${close}?`,
  );
}

function checkProtocol({ entry, target, at }: Aim, protocol: (service: string) => string | null, refuse: Refuse): void {
  const [own, other] = [protocol(entry.name), protocol(target.service)];
  if (own === null || other === null || own === other) return;
  refuse(
    entry,
    REFUSED.mixed,
    at,
    `${target.service} speaks ${other} and ${entry.name} ${own}: one chain has one protocol`,
    `a ServiceDefaults ${target.service} with protocol: ${own}`,
  );
}

function checkCircles(chain: Chain, refuse: Refuse): void {
  const message = 'calls would go round in a circle: ';
  for (const entry of chain.resolvers.values())
    if (chain.resolve(targetOf({}, entry.name)).loop)
      refuse(
        entry,
        REFUSED.circle,
        sourceOf(entry.spec, 'redirect'),
        `${message}${entry.name} redirects to who redirects back`,
        'one of them without redirect',
      );
  for (const entry of chain.splitters.values()) {
    const round = circleFrom(entry.name, chain);
    if (round !== null)
      refuse(entry, REFUSED.circle, null, `${message}${round.join(' → ')}`, 'a serviceSubset ends a way of splits');
  }
}

/** The way of splits that leads back to a service; null = there is none. */
function circleFrom(start: string, { splitters }: Chain): readonly string[] | null {
  const seen = new Set<string>();
  const search = (name: string, way: readonly string[]): readonly string[] | null => {
    for (const split of splitters.get(name)?.spec.splits ?? []) {
      const { service, subset } = targetOf(split, name);
      if (service === name || subset !== '') continue;
      if (service === start) return [...way, service];
      if (seen.has(service)) continue;
      seen.add(service);
      const found = search(service, [...way, service]);
      if (found !== null) return found;
    }
    return null;
  };
  return search(start, [start]);
}

function checkAccess(resources: readonly Resource[], isTcp: (service: string) => boolean, refuse: Refuse): void {
  const issuers = issuersOf(resources);
  const first = new Map<string, Resource>();
  for (const entry of ofKind<ServiceIntentions>(resources, 'consul', 'ServiceIntentions')) {
    const destination = destinationOf(entry);
    const other = first.get(destination);
    if (other === undefined) first.set(destination, entry);
    else
      refuse(
        entry,
        REFUSED.twice,
        null,
        `${objectName(other)} is about ${destination} already (${other.source.file}:${other.source.line})`,
        'one ServiceIntentions with the sources of both',
      );
    const asksRequests = (entry.spec.sources ?? []).find(({ permissions = [] }) => permissions.length > 0);
    if (asksRequests !== undefined && isTcp(destination))
      refuse(
        entry,
        REFUSED.protocol,
        sourceOf(asksRequests, 'permissions'),
        `${destination} has connections and no requests, so that permissions cannot be about them`,
        `a ServiceDefaults ${destination} with protocol: http, or action in place of permissions`,
      );
    for (const name of new Set(providersIn(entry.spec)))
      if (!issuers.has(name))
        refuse(entry, REFUSED.provider, null, `there is no JWTProvider ${name}`, hintOf(name, [...issuers.keys()]));
  }
}

function hintOf(name: string, known: readonly string[]): string {
  const close = nearest(name, known);
  return close === null ? `a JWTProvider ${name}, applied with it or before` : `did you mean ${close}?`;
}

function checkPermissive(resources: readonly Resource[], refuse: Refuse): void {
  const [mesh] = ofKind<Mesh>(resources, 'consul', 'Mesh');
  if (mesh?.spec.allowEnablingPermissiveMutualTLS === true) return;
  for (const kind of ['ServiceDefaults', 'ProxyDefaults'])
    for (const entry of ofKind<ServiceDefaults>(resources, 'consul', kind))
      if (entry.spec.mutualTLSMode === 'permissive')
        refuse(
          entry,
          REFUSED.permissive,
          sourceOf(entry.spec, 'mutualTLSMode'),
          'permissive mutual TLS is not allowed in this mesh',
          'a Mesh with allowEnablingPermissiveMutualTLS: true, applied with it or before',
        );
}
