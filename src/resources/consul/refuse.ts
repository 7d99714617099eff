import type { Finding } from '../../model/finding.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource, reporter } from '../resource.js';
import type { Mesh, ProxyDefaults, ServiceDefaults } from './defaults.js';

/** What is refused for what stands in another entry; each one alone may be well. */
export const REFUSED = {
  /** A router or a splitter of a service whose protocol has no requests. */
  protocol: 'MS0220',
  /** `permissive` where the Mesh entry does not let it. */
  permissive: 'MS0221',
} as const;

/** Protocols that have requests, and so routes (Consul's `IsHTTPLike`). */
const HTTP_LIKE = new Set(['http', 'http2', 'grpc']);

/** What Consul would refuse to write, seen from all entries together. */
export function consulRefusals(resources: readonly Resource[]): Finding[] {
  const found: Finding[] = [];
  const protocol = protocolOf(resources);
  for (const kind of ['ServiceRouter', 'ServiceSplitter'])
    for (const entry of ofKind(resources, 'consul', kind)) {
      const word = protocol(entry.name);
      if (word === null || HTTP_LIKE.has(word)) continue;
      reporter(entry, found)(
        REFUSED.protocol,
        'error',
        null,
        `${entry.name} speaks ${word}, which permits neither routing nor splitting`,
        `a ServiceDefaults ${entry.name} with protocol: http`,
      );
    }
  const [mesh] = ofKind<Mesh>(resources, 'consul', 'Mesh');
  if (mesh?.spec.allowEnablingPermissiveMutualTLS === true) return found;
  for (const kind of ['ServiceDefaults', 'ProxyDefaults'])
    for (const entry of ofKind<ServiceDefaults>(resources, 'consul', kind))
      if (entry.spec.mutualTLSMode === 'permissive')
        reporter(entry, found)(
          REFUSED.permissive,
          'error',
          sourceOf(entry.spec, 'mutualTLSMode'),
          'permissive mutual TLS is not allowed in this mesh',
          'a Mesh with allowEnablingPermissiveMutualTLS: true, applied with it or before',
        );
  return found;
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
