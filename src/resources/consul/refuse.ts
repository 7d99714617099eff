import type { Finding } from '../../model/finding.js';
import { nearest } from '../../model/nearest.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource, reporter } from '../resource.js';
import type { Mesh, ProxyDefaults, ServiceDefaults } from './defaults.js';
import type { RouterDestination, ServiceResolver, ServiceRouter, ServiceSplitter } from './routing.js';

type Split = NonNullable<ServiceSplitter['splits']>[number];

/** What is refused for what stands in another entry; each one alone may be well. */
export const REFUSED = {
  /** A router or a splitter of a service whose protocol has no requests. */
  protocol: 'MS0220',
  /** `permissive` where the Mesh entry does not let it. */
  permissive: 'MS0221',
  /** A subset that no resolver has. */
  subset: 'MS0223',
} as const;

/** Protocols that have requests, and so routes (Consul's `IsHTTPLike`). */
const HTTP_LIKE = new Set(['http', 'http2', 'grpc']);

/** Takes one refusal: an error of an entry, at a place of it (null = the whole), with what to write. */
type Refuse = (entry: Resource, code: string, at: SourceRef | null, message: string, hint: string) => void;

/** What Consul would refuse to write, seen from all entries together. */
export function consulRefusals(resources: readonly Resource[]): Finding[] {
  const found: Finding[] = [];
  checkTogether(resources, (entry, code, at, ...words) => reporter(entry, found)(code, 'error', at, ...words));
  return found;
}

export function checkTogether(resources: readonly Resource[], refuse: Refuse): void {
  const protocol = protocolOf(resources);
  for (const kind of ['ServiceRouter', 'ServiceSplitter'])
    for (const entry of ofKind(resources, 'consul', kind)) {
      const word = protocol(entry.name);
      if (word === null || HTTP_LIKE.has(word)) continue;
      refuse(
        entry,
        REFUSED.protocol,
        null,
        `${entry.name} speaks ${word}, which permits neither routing nor splitting`,
        `a ServiceDefaults ${entry.name} with protocol: http`,
      );
    }
  for (const { entry, service, subset, at } of subsetsUsed(resources)) {
    const known = ofKind<ServiceResolver>(resources, 'consul', 'ServiceResolver')
      .filter(({ name, namespace }) => name === service.name && namespace === service.namespace)
      .flatMap(({ spec }) => Object.keys(spec.subsets ?? {}));
    if (known.includes(subset)) continue;
    const close = nearest(subset, known);
    refuse(
      entry,
      REFUSED.subset,
      at,
      `no ServiceResolver ${service.name} has a subset ${subset}`,
      close === null ? `a ServiceResolver ${service.name} with the subset ${subset}` : `did you mean ${close}?`,
    );
  }
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

interface UsedSubset {
  readonly entry: Resource;
  readonly service: { readonly name: string; readonly namespace: string };
  readonly subset: string;
  readonly at: SourceRef;
}

/** Subsets that routers and splitters name. */
function subsetsUsed(resources: readonly Resource[]): UsedSubset[] {
  const used = (entry: Resource, target: RouterDestination | Split): UsedSubset[] =>
    (target.serviceSubset ?? '') === ''
      ? []
      : [
          {
            entry,
            service: { name: target.service ?? entry.name, namespace: target.namespace ?? entry.namespace },
            subset: target.serviceSubset ?? '',
            at: sourceOf(target, 'serviceSubset'),
          },
        ];
  return [
    ...ofKind<ServiceRouter>(resources, 'consul', 'ServiceRouter').flatMap((entry) =>
      (entry.spec.routes ?? []).flatMap(({ destination }) =>
        destination === undefined ? [] : used(entry, destination),
      ),
    ),
    ...ofKind<ServiceSplitter>(resources, 'consul', 'ServiceSplitter').flatMap((entry) =>
      (entry.spec.splits ?? []).flatMap((split) => used(entry, split)),
    ),
  ];
}

/** The protocol that entries declare for a service; null = none of them does, and Consul would take it for tcp. */
export function protocolOf(resources: readonly Resource[]): (service: string) => string | null {
  const own = ofKind<ServiceDefaults>(resources, 'consul', 'ServiceDefaults');
  const [all] = ofKind<ProxyDefaults>(resources, 'consul', 'ProxyDefaults');
  const wide = all?.spec.config?.protocol;
  return (service) => {
    const said = own.find(({ name }) => name === service)?.spec.protocol || wide;
    return typeof said === 'string' ? said.toLowerCase() : null;
  };
}
