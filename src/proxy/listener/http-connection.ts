import type { Socket } from 'node:net';
import { FAILURES } from '../../model/failure.js';
import type { SidecarLimits } from '../../model/limits.js';
import type { Clock } from '../../platform/clock.js';
import type { Expiring, Sweeper } from '../../platform/sweeper.js';
import { Body, type BodySink, type BodySource, NO_BODY } from '../codec/body.js';
import { BodyReader } from '../codec/body-reader.js';
import { endOfHead } from '../codec/end-of-head.js';
import type { FieldBlock } from '../codec/field-block.js';
import type { HeadLimits } from '../codec/fields.js';
import { CHUNKED, type RequestHead, type ResponseHead, UNTIL_CLOSE } from '../codec/message.js';
import { ReadSwitch } from '../codec/read-switch.js';
import { parseRequestHead } from '../codec/request-head.js';
import { chunkOf, joinHead, lastChunk, responseHeadText } from '../codec/write.js';
import { writeAllSoon, writeNow, writeSoon } from '../codec/write-soon.js';
import type { Call, Downstream, Handler, Reply } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';

/** How long the rest of a request that nobody needs is read, so that its sender can read the answer, ms. */
const DRAIN_MS = 2_000;

/** What a connection bears, in the words of the parts that obey it. */
export interface ConnectionLimits extends SidecarLimits {
  readonly head: HeadLimits;
}

export interface ConnectionParts {
  readonly clock: Clock;
  readonly limits: ConnectionLimits;
  readonly sweeper: Sweeper;
  readonly handler: Handler<Call>;
  /** Makes the call object (with its record) of a request on this connection. */
  readonly newCall: (head: RequestHead, body: Body) => Call;
  /** A request that is no HTTP/1.1: answered already, to be recorded. */
  readonly onBadRequest: (error: ProxyError) => void;
  /** The exchange is over: the answer's last byte was handed to the kernel, or it broke off. */
  readonly onFinished: (call: Call) => void;
  /** Resets the TCP connection (also below TLS). */
  readonly reset: () => void;
  /** True while the sidecar is going down: answers ask the caller to close. */
  readonly draining: () => boolean;
}

/**
 * One downstream connection: reads requests one after the other (pipelined ones wait), runs each through the pipeline and
 * writes the answers in order.
 */
export class HttpConnection implements BodySource, BodySink, Expiring, Downstream {
  expiresAt: number;
  readonly #socket: Socket;
  readonly #parts: ConnectionParts;
  #waiting: Buffer | null = null;
  #call: Call | null = null;
  #reader: BodyReader | null = null;
  #reply: Reply | null = null;
  #chunked = false;
  #close = false;
  #ended = false;
  /** Answers wait to be read: no request is begun before they are. */
  #stalled = false;
  readonly #reading: ReadSwitch;
  /** When the body of announced length must be here, monotonic ms. */
  #bodyDueAt = Number.POSITIVE_INFINITY;
  /** The request in progress was malformed: nothing behind it is parsed any more. */
  #broken = false;

  constructor(socket: Socket, parts: ConnectionParts) {
    this.#socket = socket;
    this.#reading = new ReadSwitch(socket);
    this.#parts = parts;
    this.expiresAt = parts.clock.monotonic() + parts.limits.idleMs;
    parts.sweeper.add(this);
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
    socket.on('drain', () => this.#onDrain());
  }

  /** Bytes that were read before this object took over. */
  start(first: Buffer): void {
    this.#onData(first);
  }

  /** Closes now if idle, else after the answer in progress. */
  drain(): void {
    this.#close = true;
    if (this.#call === null) this.#socket.end();
  }

  /** Idle for too long, or a head, a body or an answer that does not come. */
  expire(): void {
    const call = this.#call;
    if (call !== null) this.#giveUp(call);
    else if (this.#waiting === null || this.#broken) this.#socket.destroy();
    else this.#refuse(new ProxyError('request_head_timeout'));
  }

  /** Nothing moves any more: an answer that has begun breaks off, else the caller is told. */
  #giveUp(call: Call): void {
    const incomplete = this.#reader !== null && !this.#reader.done;
    const error = new ProxyError(incomplete ? 'request_body_timeout' : 'stream_idle_timeout');
    this.expiresAt = this.#parts.sweeper.deadline(DRAIN_MS);
    this.#close = true;
    call.record.fail(error.code);
    if (this.#reply !== null || call.cancelled !== null) return this.#parts.reset();
    call.body.fail(error);
    call.cancel(error);
  }

  /** Something moved: the time for the next move begins. */
  #moved(): void {
    const { streamIdleMs } = this.#parts.limits;
    this.expiresAt = streamIdleMs === null ? Number.POSITIVE_INFINITY : this.#parts.sweeper.deadline(streamIdleMs);
    if (this.#bodyDueAt < this.expiresAt) this.expiresAt = this.#bodyDueAt;
  }

  pauseBody(): void {
    this.#reading.stop();
  }

  resumeBody(): void {
    this.#reading.resume();
  }

  abandonBody(): void {
    // The answer did not need the rest of the request: what still comes is dropped, and the connection ends after it.
    this.#close = true;
    this.resumeBody();
  }

  onChunk(chunk: Buffer): boolean {
    const call = this.#call;
    if (call !== null) call.record.responseBytes += chunk.length;
    this.#moved();
    if (this.#chunked) return writeAllSoon(this.#socket, chunkOf(chunk));
    return writeSoon(this.#socket, chunk);
  }

  onEnd(trailers: FieldBlock | null): void {
    if (this.#chunked) writeSoon(this.#socket, lastChunk(trailers));
    this.#finishAnswer();
  }

  onError(error: ProxyError): void {
    // Truncation must be visible: the connection is reset, never ended as if the answer were whole (B7).
    this.#call?.record.fail(error.code);
    writeNow(this.#socket);
    this.#parts.reset();
  }

  #onData(chunk: Buffer): void {
    try {
      this.#read(chunk);
    } catch (error) {
      if (!(error instanceof ProxyError)) throw error;
      this.#refuse(error);
    }
    this.#reading.apply();
  }

  #read(chunk: Buffer): void {
    if (this.#broken) return;
    let data = chunk;
    const reader = this.#reader;
    if (reader !== null && !reader.done) {
      const at = reader.read(data, 0);
      if (reader.done) this.#bodyDueAt = Number.POSITIVE_INFINITY;
      if (this.#call !== null) this.#moved();
      if (at === data.length) return;
      data = data.subarray(at);
    }
    if (this.#waiting !== null) data = Buffer.concat([this.#waiting, data]);
    this.#waiting = null;
    if (this.#call === null && !this.#stalled) this.#readRequest(data);
    else this.#keepWaiting(data);
  }

  #keepWaiting(data: Buffer): void {
    this.#waiting = data;
    if (data.length > this.#parts.limits.pipelineBytes) this.pauseBody();
  }

  #readRequest(data: Buffer): void {
    // RFC 9112 §2.2: one empty line before a request is forgiven.
    const start = data[0] === 13 && data[1] === 10 ? 2 : 0;
    const end = endOfHead(data, start);
    const limits = this.#parts.limits.head;
    if (end < 0 || end - start > limits.block) return this.#headIncomplete(data, end);
    const head = parseRequestHead(data, start, end + 4, limits);
    const body = head.length === 0 ? NO_BODY : new Body(head.length, this);
    this.#moved();
    if (!head.keepAlive || this.#parts.draining()) this.#close = true;
    const call = this.#parts.newCall(head, body);
    this.#call = call;
    try {
      this.#readBody(head, body, end + 4 === data.length ? null : data.subarray(end + 4));
    } catch (error) {
      // Malformed before anybody was asked to serve it: there is no exchange to end.
      this.#call = null;
      throw error;
    }
    call.downstream = this;
    // The caller ended its side before, and this request is not whole: it never will be.
    if (this.#ended && this.#unread) return this.#leave();
    void this.#parts.handler(call).then((reply) => this.#serve(call, reply));
  }

  #headIncomplete(data: Buffer, end: number): void {
    const { head, headMs } = this.#parts.limits;
    if (end >= 0 || data.length > head.block) {
      const line = data.indexOf('\r\n', 0, 'latin1');
      throw new ProxyError(line < 0 || line > head.line ? 'uri_too_long' : 'headers_too_large');
    }
    if (this.#waiting === null && this.expiresAt - this.#parts.clock.monotonic() > headMs) {
      this.expiresAt = this.#parts.clock.monotonic() + headMs;
    }
    this.#waiting = data;
    // Half a request, and no more to come.
    if (this.#ended) this.#socket.end();
  }

  #readBody(head: RequestHead, body: Body, rest: Buffer | null): void {
    if (head.length === 0) {
      this.#reader = null;
      if (rest !== null) this.#keepWaiting(rest);
      return;
    }
    if (head.expectContinue) body.onFirstUse = () => writeSoon(this.#socket, 'HTTP/1.1 100 Continue\r\n\r\n');
    const { head: limits, requestMs } = this.#parts.limits;
    const reader = new BodyReader(body, limits, badBody);
    this.#reader = reader;
    if (requestMs !== null && head.length > 0 && !(rest !== null && rest.length >= head.length)) {
      this.#bodyDueAt = this.#parts.clock.monotonic() + requestMs;
      this.#moved();
    }
    if (rest === null) return;
    const at = reader.read(rest, 0);
    if (at < rest.length) this.#keepWaiting(rest.subarray(at));
  }

  #serve(call: Call, reply: Reply): void {
    if (this.#call !== call || this.#socket.destroyed) {
      reply.body.abandon();
      reply.tunnel?.destroy();
      return;
    }
    this.#respond(call, reply);
  }

  #respond(call: Call, given: Reply): void {
    const reply = withoutContent(given, call.head.method);
    const { head, body } = reply;
    call.record.status = head.status;
    if (head.status === 0) {
      this.#parts.reset();
      return;
    }
    if (this.#unread) this.#close = true;
    const framing = { method: call.head.method, close: this.#close };
    const whole = body.takeWhole();
    if (whole !== null || head.length === 0) {
      const sized = whole === null || head.length > 0 ? head : { ...head, length: whole.length };
      writeSoon(this.#socket, joinHead(responseHeadText(sized, framing), whole));
      call.record.responseBytes = whole?.length ?? 0;
      if (reply.tunnel !== null) this.#tunnel(call, reply);
      else this.#finishAnswer();
      return;
    }
    this.#chunked = head.length === CHUNKED || head.length === UNTIL_CLOSE;
    this.#reply = reply;
    writeSoon(this.#socket, joinHead(responseHeadText(head, framing), null));
    body.attach(this);
  }

  #tunnel(call: Call, reply: Reply): void {
    const first = this.#waiting ?? EMPTY;
    this.#waiting = null;
    this.#parts.sweeper.delete(this);
    this.#call = null;
    writeNow(this.#socket);
    this.#socket.removeAllListeners('data');
    this.#socket.removeAllListeners('end');
    reply.tunnel?.join(this.#socket, first, () => this.#finish(call));
  }

  onInformational(head: ResponseHead): void {
    if (this.#reply === null) writeSoon(this.#socket, responseHeadText(head, { method: '', close: false }));
  }

  #finishAnswer(): void {
    const call = this.#call;
    if (call === null) return;
    this.#call = null;
    this.#reply = null;
    this.#chunked = false;
    this.#bodyDueAt = Number.POSITIVE_INFINITY;
    const unread = this.#unread;
    if (unread) call.body.abandon();
    this.#finish(call);
    // A caller that ended its side may have sent more requests before.
    if (this.#close || (this.#ended && this.#waiting === null)) return this.#endAfter(unread);
    this.#reader = null;
    // A caller that does not read its answers gets no more of them.
    this.#stalled = this.#socket.writableNeedDrain;
    if (this.#stalled) this.expiresAt = this.#parts.sweeper.deadline(this.#parts.limits.idleMs);
    else this.#next();
  }

  /** Ends our side; a request that is still coming in is drained for a moment, so that its sender can read the answer. */
  #endAfter(unread: boolean): void {
    this.#socket.end();
    this.#waiting = null;
    this.expiresAt = this.#parts.clock.monotonic() + (unread ? DRAIN_MS : this.#parts.limits.headMs);
    this.#socket.removeAllListeners('data');
    this.#socket.on('data', () => {});
    this.resumeBody();
    this.#socket.resume();
  }

  #next(): void {
    this.expiresAt = this.#parts.sweeper.deadline(this.#parts.limits.idleMs);
    const waiting = this.#waiting;
    if (waiting === null) {
      // It ended its side while it did not read its answers; now it has them all.
      if (this.#ended) this.#endAfter(false);
      return;
    }
    this.#waiting = null;
    this.resumeBody();
    this.#onData(waiting);
  }

  #finish(call: Call): void {
    call.record.requestBytes = call.body.bytes;
    call.finish();
    this.#parts.onFinished(call);
  }

  /** The caller's message is not one: answer, close, and parse nothing more. */
  #refuse(error: ProxyError): void {
    const call = this.#call;
    this.#close = true;
    this.#broken = true;
    if (call !== null) {
      // A broken body of a request that is under way: its exchange ends here.
      call.body.fail(error);
      call.cancel(error);
      return;
    }
    this.#parts.onBadRequest(error);
    const row = FAILURES[error.code];
    const text = `HTTP/1.1 ${row.status} ${row.body}\r\ncontent-type: text/plain\r\ncontent-length: ${row.body.length}\r\nconnection: close\r\n\r\n${row.body}`;
    writeSoon(this.#socket, text);
    this.#endAfter(true);
  }

  #onDrain(): void {
    if (this.#stalled) {
      this.#stalled = false;
      this.#next();
    } else this.#reply?.body.resume();
  }

  #onEnd(): void {
    this.#ended = true;
    if (this.#call === null) {
      if (!this.#stalled) this.#socket.end();
      return;
    }
    if (this.#unread) this.#leave();
    else if (this.#reply === null) {
      this.#probe(0);
    } else this.#watch(this.#call);
  }

  /** A part of the request has not come yet. */
  get #unread(): boolean {
    return this.#reader !== null && !this.#reader.done;
  }

  /** Ends an exchange whose request broke off. Answers to those before it still arrive; half a one of its own is cut. */
  #leave(): void {
    const answering = this.#reply !== null;
    this.#gone();
    if (answering) this.#socket.destroy();
    else this.#endAfter(false);
  }

  /**
   * Half-closed, or gone, while an answer streams? What is written finds out; an answer that says nothing for a while is
   * written to nobody (Envoy ends it at once).
   */
  #watch(call: Call): void {
    const before = call.record.responseBytes;
    this.#parts.clock.after(SILENCE_MS, () => {
      if (this.#call !== call) return;
      if (call.record.responseBytes !== before) return this.#watch(call);
      this.#gone();
      this.#socket.destroy();
    });
  }

  /**
   * Half-closed, or closed altogether? TCP does not tell. Interim answers find out: a closed peer resets the first, which
   * the next write sees; one that waits skips them (RFC 9110 §15.2).
   */
  #probe(n: number): void {
    if (this.#call === null || this.#reply !== null || this.#socket.destroyed) return;
    writeSoon(this.#socket, 'HTTP/1.1 100 Continue\r\n\r\n');
    const wait = PROBE_PAUSES_MS[n];
    if (wait !== undefined) this.#parts.clock.after(wait, () => this.#probe(n + 1));
  }

  #onClose(): void {
    this.#parts.sweeper.delete(this);
    this.#gone();
  }

  #gone(): void {
    const call = this.#call;
    if (call === null) return;
    this.#call = null;
    const error = new ProxyError('client_gone');
    // A reset that we made ourselves (fault, truncation) has its reason noted already.
    if (call.record.failure === null) call.record.fail('client_gone');
    call.body.fail(error);
    call.cancel(error);
    this.#reply?.body.abandon();
    this.#reply?.tunnel?.destroy();
    this.#reply = null;
    this.#finish(call);
  }
}

/** How long an answer may say nothing to a caller that has ended its side, ms. */
const SILENCE_MS = 1_000;

/** HEAD and these statuses have no content, whoever answers (RFC 9110 §9.3.2, §15.3.5, §15.3.6, §15.4.5). */
function withoutContent(reply: Reply, method: string): Reply {
  const { head, body } = reply;
  const { status, length } = head;
  if (length === 0 || (method !== 'HEAD' && status !== 204 && status !== 205 && status !== 304)) return reply;
  body.abandon();
  const declaredLength = method === 'HEAD' && length > 0 && status !== 204 ? length : -1;
  return { ...reply, head: { ...head, length: 0, declaredLength }, body: NO_BODY };
}

/** Pauses between the probes of a connection whose peer has ended its side, ms. */
const PROBE_PAUSES_MS = [10, 40];
const EMPTY = Buffer.alloc(0);

function badBody(): ProxyError {
  return new ProxyError('bad_request', 'a malformed body');
}
