import type { AppProtocol } from '../model/app-protocol.js';
import type { FailureCode } from '../model/failure.js';
import type { InboundConfig, MtlsMode } from '../model/sidecar-config.js';
import { portAt } from './access.js';

/** What a callee asks of those who call a port of its service; null = no sidecar stands there. */
export function mtlsAt(port: number, inbound: InboundConfig | null): MtlsMode | null {
  if (inbound === null) return null;
  return inbound.portMtls?.[portAt({ port }, inbound)] ?? inbound.mtls;
}

/**
 * Why a callee's sidecar does not listen to a caller; null = it does. Where mutual TLS is switched off, TLS passes as bytes
 * where bytes are expected.
 */
export function refusalOf(
  asked: MtlsMode | null,
  { mutual, originates }: { readonly mutual: boolean; readonly originates: boolean },
  protocol: AppProtocol,
): FailureCode | null {
  if (asked === 'strict' && !mutual) return originates ? 'tls_failure' : 'connection_termination';
  return asked === 'disable' && mutual && protocol === 'http' ? 'tls_failure' : null;
}
