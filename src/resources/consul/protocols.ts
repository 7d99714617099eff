import type { ProtocolPolicy } from '../../model/policies.js';
import { ofKind, type Resource } from '../resource.js';
import type { ProxyDefaults, ServiceDefaults } from './defaults.js';

/**
 * What services speak, as entries declare it: the switch between requests and connections (consul
 * `agent/structs/config_entry.go`). A service's own word goes before that of all.
 */

/** Protocols that have requests, and so routes (Consul's `IsHTTPLike`). */
export const HTTP_LIKE: ReadonlySet<string> = new Set(['http', 'http2', 'grpc']);

/** The protocol that entries declare for a service; null = none of them does, and Consul would take it for tcp. */
export function protocolOf(resources: readonly Resource[]): (service: string) => string | null {
  const own = ofKind<ServiceDefaults>(resources, 'consul', 'ServiceDefaults');
  const wide = ofAll(resources);
  return (service) => own.find(({ name }) => name === service)?.spec.protocol?.toLowerCase() || wide;
}

function ofAll(resources: readonly Resource[]): string | null {
  const [all] = ofKind<ProxyDefaults>(resources, 'consul', 'ProxyDefaults');
  return all?.spec.config?.protocol?.toLowerCase() || null;
}

/** Where nobody declares one the app's file counts, which is told by analysis. */
export function consulProtocolsOf(resources: readonly Resource[]): ProtocolPolicy[] {
  const words = ofKind<ServiceDefaults>(resources, 'consul', 'ServiceDefaults').map(
    ({ name, spec }) => [name, spec.protocol?.toLowerCase() || null] as const,
  );
  return [...words, [null, ofAll(resources)] as const].flatMap(([service, word]) =>
    word === null ? [] : [{ service, protocol: HTTP_LIKE.has(word) ? ('http' as const) : ('tcp' as const) }],
  );
}
