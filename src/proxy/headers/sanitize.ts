import type { InboundConfig } from '../../model/sidecar-config.js';
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
    call.head.fields.removeWhere('x', isMeshField);
    return next(call);
  };
}

/** At the edge the forwarding fields are unknown people's words too; ours take their place. */
export function sanitizeEdgeRequest(): Filter<Call> {
  return (next) => (call) => {
    const { fields } = call.head;
    fields.removeWhere('x', isEdgeField);
    fields.remove('forwarded');
    fields.append('x-forwarded-for', call.peer.remoteAddress);
    fields.append('x-forwarded-proto', 'http');
    return next(call);
  };
}

/** Reads who calls. Over mutual TLS the certificate decides; else nobody is known. */
export function identifyCaller(callers: () => InboundConfig['callers']): Filter<Call> {
  return (next) => (call) => {
    const { record, peer, head } = call;
    record.sourcePrincipal = peer.principal;
    const caller = peer.principal === '' ? undefined : callers()[peer.principal];
    if (caller !== undefined) {
      const claimed = head.fields.get(SOURCE_FIELD) ?? '';
      record.source = caller.workloads.includes(claimed) ? claimed : (caller.workloads[0] ?? caller.app);
      call.sourceApp = caller.app;
    }
    if (record.source === '') record.source = 'unknown';
    return next(call);
  };
}

/**
 * Removes what is not for the app. What a sidecar proved by certificate says of its own (tries, time allowed, original
 * path) is for the app too.
 */
export function sanitizeForApp(callerField: () => InboundConfig['callerField']): Filter<Call> {
  return (next) => (call) => {
    const own = callerField();
    if (own !== undefined) call.head.fields.remove(own);
    call.head.fields.removeWhere('x', call.sourceApp === '' ? isMeshField : isOurs);
    return next(call);
  };
}

/** What a caller may ask of its own sidecar only: at the callee nobody obeys it, and the app does not see it (Envoy). */
const WISHES = new Set([
  'x-envoy-max-retries',
  'x-envoy-retry-on',
  'x-envoy-retry-grpc-on',
  'x-envoy-retriable-status-codes',
  'x-envoy-retriable-header-names',
  'x-envoy-hedge-on-per-try-timeout',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-envoy-upstream-rq-timeout-alt-response',
  'x-envoy-upstream-alt-stat-name',
  'x-envoy-ip-tags',
  'x-envoy-internal',
]);

function isOurs(name: string): boolean {
  return name.startsWith('x-mesh-') || name === CLIENT_CERT || WISHES.has(name);
}

function isMeshField(name: string): boolean {
  return name.startsWith('x-mesh-') || name.startsWith('x-envoy-') || name === CLIENT_CERT;
}

function isEdgeField(name: string): boolean {
  return isMeshField(name) || name.startsWith('x-forwarded-') || name === 'x-real-ip';
}
