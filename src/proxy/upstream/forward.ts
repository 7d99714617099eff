import type { Security } from '../../model/exchange.js';
import type { ResponseHead } from '../codec/message.js';
import { requestHeadText } from '../codec/write.js';
import type { Call, EndpointCall, Handler, Reply } from '../pipeline/call.js';
import type { ExchangeRecord } from '../pipeline/exchange-record.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { type AcquireParts, acquire } from './acquire.js';
import type { RequestOwner, UpstreamConnection } from './connection.js';

export interface ForwardParts extends AcquireParts {
  /** Field lines written behind the request's own, each with its CRLF. */
  readonly extra: (call: EndpointCall) => string;
}

const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE']);

/**
 * The end of the pipeline: takes a pooled connection or opens one, writes the request, resolves with the answer's head.
 * When a reused connection turns out to be closed before a byte of the answer came (the keep-alive race), an idempotent
 * request goes out once more on a new one, whatever its tries; nothing else is ever sent twice here. A reset is no such
 * race: an endpoint that closes an idle connection says so in an orderly way.
 */
export function forward(parts: ForwardParts): Handler<EndpointCall> {
  return (call) => {
    // A connection that is to fail must be a new one.
    const connection = call.sabotage === null ? parts.pool.take(call.key) : null;
    if (connection === null) return acquireAndSend(parts, call);
    call.attempt.reusedConnection = true;
    return send(parts, call, connection, mayRepeat(call));
  };
}

async function acquireAndSend(parts: ForwardParts, call: EndpointCall): Promise<Reply> {
  const connection = await acquire(parts, call);
  return send(parts, call, connection, call.attempt.reusedConnection && mayRepeat(call));
}

function mayRepeat(call: EndpointCall): boolean {
  const { routed } = call.attempt;
  const { head, body } = routed.call;
  return !routed.repeated && IDEMPOTENT.has(head.method) && body.length === 0 && head.upgrade === '';
}

function send(
  parts: ForwardParts,
  endpointCall: EndpointCall,
  connection: UpstreamConnection,
  repeatable: boolean,
): Promise<Reply> {
  const { attempt, endpoint } = endpointCall;
  const { call, cluster } = attempt.routed;
  const { maxRequests } = cluster.config.limits;
  if (maxRequests !== null && cluster.load.requests >= maxRequests) {
    parts.pool.free(connection);
    return Promise.reject(new ProxyError('overflow', `${cluster.load.requests} requests are under way already`));
  }
  cluster.load.requests++;
  endpoint.active++;
  attempt.active = connection;
  attempt.written = true;
  noteSecurity(call.record, connection.security);
  const text = requestHeadText(call.head, parts.extra(endpointCall));
  return new Promise((resolve, reject) => {
    connection.send(new SentRequest(parts, endpointCall, repeatable, resolve, reject), text, call.body);
  });
}

/** A request on its way: what its connection says about it, turned into the promise of its answer. */
class SentRequest implements RequestOwner {
  readonly method: string;
  readonly upgrade: boolean;
  readonly #parts: ForwardParts;
  readonly #endpointCall: EndpointCall;
  readonly #call: Call;
  readonly #repeatable: boolean;
  readonly #sentAt: number;
  readonly #resolve: (reply: Reply | Promise<Reply>) => void;
  readonly #reject: (error: ProxyError) => void;

  constructor(
    parts: ForwardParts,
    endpointCall: EndpointCall,
    repeatable: boolean,
    resolve: (reply: Reply | Promise<Reply>) => void,
    reject: (error: ProxyError) => void,
  ) {
    this.#parts = parts;
    this.#endpointCall = endpointCall;
    this.#call = endpointCall.attempt.routed.call;
    this.method = this.#call.head.method;
    this.upgrade = this.#call.head.upgrade !== '';
    this.#repeatable = repeatable;
    this.#sentAt = parts.clock.monotonic();
    this.#resolve = resolve;
    this.#reject = reject;
  }

  onInformational(head: ResponseHead): void {
    this.#call.downstream?.onInformational(head);
  }

  onReply(reply: Reply): void {
    const now = this.#parts.clock.monotonic();
    this.#call.record.upstreamMs += now - this.#sentAt;
    this.#call.record.answeredAt = now;
    this.#resolve(reply);
  }

  onFailure(error: ProxyError, closed: boolean): void {
    this.#call.record.upstreamMs += this.#parts.clock.monotonic() - this.#sentAt;
    const lost = closed && error.code === 'connection_termination';
    const stale = this.#repeatable && lost && this.#call.cancelled === null;
    if (!stale) return this.#reject(error);
    this.#endpointCall.attempt.reusedConnection = false;
    this.#endpointCall.attempt.routed.repeated = true;
    this.#resolve(acquireAndSend(this.#parts, this.#endpointCall));
  }

  onSettled(): void {
    this.#endpointCall.endpoint.active--;
    this.#endpointCall.attempt.routed.cluster.load.requests--;
    this.#endpointCall.attempt.active = null;
  }
}

/** Outbound records tell how the request left; inbound ones have noted already how it came. */
function noteSecurity(record: ExchangeRecord, security: Security): void {
  if (record.direction === 'inbound') return;
  record.security = security;
  record.destinationPrincipal = security.peer;
}
