import type { Fields } from '../codec/message.js';
import type { Call, Filter } from '../pipeline/call.js';

const CLIENT_CERT = 'x-forwarded-client-cert';
/** Names the calling workload; believed over mutual TLS only, and only if the certificate allows it. */
export const SOURCE_FIELD = 'x-mesh-source';

/**
 * Takes out of a request what only a sidecar may say: `x-mesh-*`, `x-envoy-*` and `x-forwarded-client-cert`. Trust comes
 * from mutual TLS alone, never from an address, so everything that came in plaintext or from the app loses them.
 */
export function sanitizeRequest(): Filter<Call> {
  return (next) => (call) => {
    removeMeshFields(call.head.fields, false);
    return next(call);
  };
}

/** At the edge the forwarding fields are unknown people's words too; ours take their place. */
export function sanitizeEdgeRequest(): Filter<Call> {
  return (next) => (call) => {
    const { fields } = call.head;
    removeMeshFields(fields, true);
    fields.push('x-forwarded-for', call.peer.remoteAddress, 'x-forwarded-proto', 'http');
    return next(call);
  };
}

/** Reads who calls, then removes what is not for the app. Over mutual TLS the certificate decides; else nobody is known. */
export function identifyCaller(
  callers: () => Readonly<Record<string, { readonly app: string; readonly workloads: readonly string[] }>>,
): Filter<Call> {
  return (next) => (call) => {
    const { record, peer, head } = call;
    record.sourcePrincipal = peer.principal;
    const caller = peer.principal === '' ? undefined : callers()[peer.principal];
    if (caller !== undefined) {
      const claimed = claimedSource(head.fields);
      record.source = caller.workloads.includes(claimed) ? claimed : (caller.workloads[0] ?? caller.app);
      call.sourceApp = caller.app;
    }
    if (record.source === '') record.source = 'unknown';
    removeMeshFields(head.fields, false);
    return next(call);
  };
}

function claimedSource(fields: Fields): string {
  for (let i = 0; i < fields.length; i += 2) if (fields[i] === SOURCE_FIELD) return fields[i + 1] as string;
  return '';
}

function removeMeshFields(fields: Fields, edge: boolean): void {
  let to = 0;
  for (let i = 0; i < fields.length; i += 2) {
    const name = fields[i] as string;
    if (name.charCodeAt(0) === 120 && isMeshField(name, edge)) continue;
    if (to !== i) {
      fields[to] = name;
      fields[to + 1] = fields[i + 1] as string;
    }
    to += 2;
  }
  fields.length = to;
}

function isMeshField(name: string, edge: boolean): boolean {
  if (name.startsWith('x-mesh-') || name.startsWith('x-envoy-') || name === CLIENT_CERT) return true;
  return edge && name.startsWith('x-forwarded-');
}
