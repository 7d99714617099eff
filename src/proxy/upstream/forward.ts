import type { Security } from '../../model/exchange.js';
import type { Clock } from '../../platform/clock.js';
import type { Fields, ResponseHead } from '../codec/message.js';
import { requestHeadText } from '../codec/write.js';
import type { EndpointCall, Handler, Reply } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import type { RequestObserver, UpstreamConnection } from './connection.js';
import type { UpstreamPool } from './pool.js';

/** A connection that was just opened, and what that took. */
export interface Connected {
  readonly connection: UpstreamConnection;
  readonly connectMs: number;
  readonly handshakeMs: number;
}

export interface ForwardParts {
  readonly clock: Clock;
  readonly pool: UpstreamPool;
  /** Opens a connection to the endpoint; rejects with ProxyError. Stops when the attempt is aborted. */
  readonly connect: (call: EndpointCall) => Promise<Connected>;
  /** Fields written behind the request's own. */
  readonly extra: (call: EndpointCall) => Fields;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/**
 * The end of the pipeline: takes a pooled connection or opens one, writes the request, resolves with the answer's head.
 * When a reused connection turns out to be closed before a byte of the answer came (the keep-alive race), an idempotent
 * request goes out once more on a new one; nothing else is ever sent twice here.
 */
export function forward(parts: ForwardParts): Handler<EndpointCall> {
  return (call) => {
    const connection = parts.pool.take(call.endpoint.key);
    if (connection === null) return connectAndSend(parts, call);
    call.attempt.reusedConnection = true;
    return send(parts, call, connection, mayRepeat(call) ? (error) => repeatIfStale(parts, call, error) : undefined);
  };
}

function mayRepeat(call: EndpointCall): boolean {
  const { head, body } = call.attempt.routed.call;
  return IDEMPOTENT.has(head.method) && body.length === 0 && head.upgrade === '';
}

function repeatIfStale(parts: ForwardParts, call: EndpointCall, error: unknown): Promise<Reply> {
  const stale = error instanceof ProxyError && error.code === 'connection_termination';
  if (!stale || call.attempt.routed.call.cancelled !== null) throw error;
  call.attempt.reusedConnection = false;
  return connectAndSend(parts, call);
}

async function connectAndSend(parts: ForwardParts, call: EndpointCall): Promise<Reply> {
  call.endpoint.active++;
  let opened: Connected;
  try {
    opened = await parts.connect(call);
  } finally {
    call.endpoint.active--;
  }
  const { record, cancelled } = call.attempt.routed.call;
  record.connectMs += opened.connectMs;
  record.handshakeMs += opened.handshakeMs;
  if (cancelled !== null) {
    parts.pool.free(opened.connection);
    throw cancelled;
  }
  return send(parts, call, opened.connection);
}

function send(
  parts: ForwardParts,
  endpointCall: EndpointCall,
  connection: UpstreamConnection,
  onFailure?: (error: unknown) => Promise<Reply>,
): Promise<Reply> {
  const { attempt, endpoint } = endpointCall;
  const { call } = attempt.routed;
  const sentAt = parts.clock.monotonic();
  endpoint.active++;
  attempt.active = connection;
  attempt.written = true;
  noteSecurity(call.record, connection.security);
  const observer: RequestObserver = {
    onInformational: (head: ResponseHead) => call.onInformational?.(head),
    onSettled: () => {
      endpoint.active--;
      attempt.active = null;
    },
  };
  const text = requestHeadText(call.head, parts.extra(endpointCall));
  return connection.send(call.head.method, text, call.body, observer).then((reply) => {
    call.record.upstreamMs += parts.clock.monotonic() - sentAt;
    return reply;
  }, onFailure);
}

/** Outbound records tell how the request left; inbound ones have noted already how it came. */
function noteSecurity(record: EndpointCall['attempt']['routed']['call']['record'], security: Security): void {
  if (record.direction === 'inbound') return;
  record.security = security;
  record.destinationPrincipal = security.peer;
}
