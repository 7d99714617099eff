import type { Claims } from '../../matching/access-subject.js';
import type { ConnectionFault } from '../../model/fault.js';
import type { FieldChanges, ForwardPolicy } from '../../model/route.js';
import type { Limited } from '../../platform/deadlines.js';
import type { Body } from '../codec/body.js';
import type { RequestHead, ResponseHead } from '../codec/message.js';
import type { ClusterState, EndpointState } from './cluster.js';
import type { ExchangeRecord } from './exchange-record.js';
import { ProxyError } from './proxy-error.js';

/**
 * The types of the data path. One function type; a filter is `(next) => (call) => …`. Each stage of knowledge is a type
 * of its own, so that a filter cannot stand where what it needs is not known yet:
 * Call → RoutedCall (route and cluster) → AttemptCall (which try) → EndpointCall (which endpoint).
 */
export type Handler<In> = (call: In) => Promise<Reply>;
export type Filter<In, Out = In> = (next: Handler<Out>) => Handler<In>;

/** An answer on its way back. Its body may still be arriving. */
export interface Reply {
  readonly head: ResponseHead;
  readonly body: Body;
  /** Raw byte stream behind a 101; null for every other answer. */
  readonly tunnel: TunnelEnd | null;
}

/** One end of a byte stream that no codec looks into any more. */
export interface TunnelEnd {
  /** Joins both ends; calls back once when both are closed. Bytes read with the 101 go first. */
  join(other: import('node:stream').Duplex, head: Buffer, onClosed: () => void): void;
  destroy(): void;
}

/** Who is at the other end of the downstream connection, proved by its certificate. */
export interface Peer {
  /** SPIFFE ID, or '' in plaintext. */
  readonly principal: string;
  /** Names by which policies know it too. */
  readonly accounts?: readonly string[] | undefined;
  /** Field line that tells the app who calls on this connection, with its end, or ''. */
  readonly callerField: string;
  readonly remoteAddress: string;
  /** Address at which the connection arrived. */
  readonly ownAddress: string;
  /** Name that its TLS handshake asked for, lower-case; '' = none. */
  readonly serverName: string;
}

/** The peer of a connection from the app itself. */
export const NO_PEER: Peer = {
  principal: '',
  callerField: '',
  remoteAddress: '127.0.0.1',
  ownAddress: '127.0.0.1',
  serverName: '',
};

/** Something in flight that can be called off. */
export interface Abortable {
  abort(error: ProxyError): void;
}

/** Something to undo when an exchange is over; a timer is one. */
export interface Finalizer {
  cancel(): void;
}

/** What a call has from the call that it is made for. */
export interface Lineage {
  /** Calls on the way so far, with this one. */
  readonly hops: number;
  /** Monotonic ms: later the first caller does not wait any more; Infinity = for ever. */
  readonly until: number;
  /** A proxy before this one repeats the call when it fails. */
  readonly retried: boolean;
}

/** A call that is made for no other. */
export const FIRST_CALL: Lineage = { hops: 1, until: Number.POSITIVE_INFINITY, retried: false };

const NOTHING: readonly Finalizer[] = [];
const NO_CHANGES: readonly FieldChanges[] = [];

/** The connection on which a request came, for what goes back before its answer. */
export interface Downstream {
  /** Passes an interim answer (103) on. */
  onInformational(head: ResponseHead): void;
}

/** One request as it entered this sidecar. */
export class Call {
  readonly head: RequestHead;
  readonly body: Body;
  readonly record: ExchangeRecord;
  readonly peer: Peer;
  /** Port that the caller meant: the original destination, or the listener's. */
  readonly port: number;
  /** Address that the caller meant, where interception tells; '' otherwise. */
  readonly originalAddress: string;
  /** It came to a loopback port that stands for a service, and not to the service's own address. */
  explicit = false;
  /** Why nobody waits for the answer any more; null = somebody does. */
  cancelled: ProxyError | null = null;
  /** The attempt, back-off or delay that a cancellation must reach. */
  active: Abortable | null = null;
  /** Service of the caller, where its certificate tells; '' otherwise. */
  sourceApp = '';
  /** What the caller's token says, once it was verified; null = it showed none. */
  claims: Claims | null = null;
  lineage: Lineage = FIRST_CALL;
  /** Status that an injected abort asked for; null = none did. */
  faultStatus: number | null = null;
  /** For the answer, whoever gives it; the most specific first. */
  replyChanges: readonly FieldChanges[] = NO_CHANGES;
  /** Where interim answers go; null where there is nobody to pass them to. */
  downstream: Downstream | null = null;
  /** Put off once when the exchange is over, in reverse order: timers to clear, slots to give back. */
  #finalizers: readonly Finalizer[] = NOTHING;

  constructor(
    head: RequestHead,
    body: Body,
    record: ExchangeRecord,
    peer: Peer,
    port: number,
    originalAddress: string,
  ) {
    this.head = head;
    this.body = body;
    this.record = record;
    this.peer = peer;
    this.port = port;
    this.originalAddress = originalAddress;
  }

  /** Calls off whatever is in flight. */
  cancel(error: ProxyError): void {
    if (this.cancelled !== null) return;
    this.cancelled = error;
    this.active?.abort(error);
  }

  /** Registers something to undo when the exchange is over. */
  onFinish(finalizer: Finalizer): void {
    this.#finalizers = this.#finalizers.length === 0 ? [finalizer] : [finalizer, ...this.#finalizers];
  }

  /** The exchange is over: answered, broken or abandoned. */
  finish(): void {
    const finalizers = this.#finalizers;
    this.#finalizers = NOTHING;
    for (let i = 0; i < finalizers.length; i++) (finalizers[i] as Finalizer).cancel();
  }
}

/** What a route says about forwarding, under its name. */
export interface RoutePolicy extends ForwardPolicy {
  readonly name: string;
}

/** A call whose destination service and policy are known. */
export class RoutedCall implements Limited {
  readonly call: Call;
  readonly route: RoutePolicy;
  readonly cluster: ClusterState;
  /** What consistent hashing goes by; null = nothing of the request. */
  hash: bigint | null = null;
  /** It was sent once more because its connection was closed as it was used: no second time. */
  repeated = false;
  /** Monotonic ms: nobody waits for it later; Infinity = somebody does for ever. */
  until = Number.POSITIVE_INFINITY;

  constructor(call: Call, route: RoutePolicy, cluster: ClusterState) {
    this.call = call;
    this.route = route;
    this.cluster = cluster;
  }

  /** The route's timeout is over, or the patience of who waits for it. */
  onDeadline(): void {
    this.call.record.fail('request_timeout');
    this.call.cancel(new ProxyError('request_timeout', `${this.route.timeoutMs ?? 'inherited'} ms`));
  }
}

/** One try, from the choice of an endpoint to its last byte. */
export class AttemptCall implements Abortable {
  readonly routed: RoutedCall;
  /** 1 = the first. */
  readonly number: number;
  readonly started: number;
  /** What is in flight for this try; set by whoever starts it. */
  active: Abortable | null = null;
  endpoint: EndpointState | null = null;
  reusedConnection = false;
  /** The request's first byte has been written to a connection: from here on it may have been executed. */
  written = false;

  constructor(routed: RoutedCall, number: number, started: number) {
    this.routed = routed;
    this.number = number;
    this.started = started;
  }

  abort(error: ProxyError): void {
    this.active?.abort(error);
  }
}

/** A try whose endpoint is chosen. */
export class EndpointCall {
  readonly attempt: AttemptCall;
  readonly endpoint: EndpointState;
  /** An injected fault that keeps it from getting a connection; null = none. */
  sabotage: ConnectionFault | null = null;
  /** Which pooled connections may be used: the endpoint's, of one name where TLS goes by the request's host. */
  readonly key: string;

  constructor(attempt: AttemptCall, endpoint: EndpointState) {
    this.attempt = attempt;
    this.endpoint = endpoint;
    const { originate } = attempt.routed.cluster.config;
    this.key = originate?.sni === null ? `${endpoint.key} ${attempt.routed.call.head.host}` : endpoint.key;
  }
}
