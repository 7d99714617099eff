import type { Socket } from 'node:net';
import type { Security } from '../../model/exchange.js';
import type { Clock } from '../../platform/clock.js';
import type { Expiring } from '../../platform/sweeper.js';
import { Body, type BodySink, type BodySource, NO_BODY } from '../codec/body.js';
import { BodyReader } from '../codec/body-reader.js';
import { endOfHead } from '../codec/end-of-head.js';
import type { FieldBlock } from '../codec/field-block.js';
import type { HeadLimits } from '../codec/fields.js';
import { CHUNKED, type ResponseHead, UNTIL_CLOSE } from '../codec/message.js';
import { ReadSwitch } from '../codec/read-switch.js';
import { parseResponseHead } from '../codec/response-head.js';
import { chunkOf, joinHead, lastChunk } from '../codec/write.js';
import { writeAllSoon, writeNow, writeSoon } from '../codec/write-soon.js';
import type { Reply, TunnelEnd } from '../pipeline/call.js';
import type { ClusterLoad } from '../pipeline/cluster.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { joinStreams } from '../tunnel/join.js';

/** Who sent the request that a connection carries, and what it is told about it. */
export interface RequestOwner {
  /** Decides whether a body follows the answer's head (RFC 9110 §6.4.1). */
  readonly method: string;
  /** It asked for another protocol; without that a 101 is no answer (RFC 9110 §15.2.2). */
  readonly upgrade: boolean;
  /** 103 and its kin; 100 is ours to answer and not passed on. */
  onInformational(head: ResponseHead): void;
  /** The head of the answer came; its body may still be arriving. */
  onReply(reply: Reply): void;
  /** The connection has done with the request: its answer's last byte came, or it broke off. Called once. */
  onSettled(): void;
  /**
   * No answer will come: instead of {@link onReply}, behind {@link onSettled}. `closed` = the endpoint had closed its side in
   * an orderly way, and broke nothing off.
   */
  onFailure(error: ProxyError, closed: boolean): void;
}

/** Where connections go when they are free or finished. */
export interface ConnectionHome {
  free(connection: UpstreamConnection): void;
  gone(connection: UpstreamConnection): void;
}

/** What holds for a connection because of the cluster that it was opened for. */
export interface ConnectionTerms {
  /** Counts it until it is gone. */
  readonly load: ClusterLoad;
  /** After so many requests it is closed. */
  readonly maxRequests: number;
  /** How long it may be unused, ms; null = as the pool says. */
  readonly idleMs: number | null;
  readonly clock: Clock;
  /** Monotonic ms: it carries no request that begins later. */
  readonly retireAt: number;
}

export interface UpstreamConnectionParts {
  /** Who may use it: cluster, address, and who is expected to answer. */
  readonly key: string;
  readonly security: Security;
  readonly terms: ConnectionTerms;
  readonly home: ConnectionHome;
  readonly limits: HeadLimits & { readonly interimAnswers: number };
}

/**
 * One connection to an endpoint: one request at a time, strict about what comes back. A byte that nobody asked for ends
 * it (F7), and so does everything that leaves its framing in doubt.
 */
export class UpstreamConnection implements BodySource, BodySink, Expiring {
  readonly key: string;
  readonly security: Security;
  readonly terms: ConnectionTerms;
  expiresAt = Number.POSITIVE_INFINITY;
  /** How many requests it has carried. */
  requests = 0;
  readonly #socket: Socket;
  readonly #home: ConnectionHome;
  readonly #limits: UpstreamConnectionParts['limits'];
  #owner: RequestOwner | null = null;
  #answered = false;
  #informational = 0;
  #partial: Buffer | null = null;
  #reader: BodyReader | null = null;
  #keepAlive = true;
  #sending = false;
  #requestBody: Body | null = null;
  #requestChunked = false;
  #tunnelled = false;
  readonly #reading: ReadSwitch;
  #closed = false;
  /** The endpoint closed its side: by a FIN, or by one that a write ran into (EPIPE). */
  #ended = false;

  constructor(socket: Socket, { key, security, terms, home, limits }: UpstreamConnectionParts) {
    this.key = key;
    this.security = security;
    this.terms = terms;
    this.#limits = limits;
    this.#socket = socket;
    this.#reading = new ReadSwitch(socket);
    this.#home = home;
    socket.on('data', (chunk: Buffer) => this.#onData(chunk));
    socket.on('end', () => this.#onEnd());
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.#ended ||= error.code === 'EPIPE';
    });
    socket.on('close', () => this.#onClose());
    socket.on('drain', () => this.#requestBody?.resume());
  }

  get #isSpent(): boolean {
    const { maxRequests, retireAt, clock } = this.terms;
    return this.requests >= maxRequests || (retireAt !== Number.POSITIVE_INFINITY && clock.monotonic() >= retireAt);
  }

  get usable(): boolean {
    return !this.#closed && this.#owner === null && !this.#socket.destroyed;
  }

  /** Writes a request; its owner is told what comes of it. */
  send(owner: RequestOwner, headText: string, body: Body): void {
    this.requests++;
    this.expiresAt = Number.POSITIVE_INFINITY;
    this.#keepAlive = true;
    this.#answered = false;
    this.#informational = 0;
    this.#owner = owner;
    this.#writeRequest(headText, body);
  }

  /** Ends the connection; a request in flight is reset, its caller sees `error`. */
  abort(error: ProxyError): void {
    this.#fail(error);
  }

  /** Idle for too long. */
  expire(): void {
    this.#close();
  }

  pauseBody(): void {
    this.#reading.stop();
  }

  resumeBody(): void {
    this.#reading.resume();
  }

  abandonBody(): void {
    this.#fail(new ProxyError('client_gone', 'the rest of the answer is not wanted'));
  }

  onChunk(chunk: Buffer): boolean {
    if (this.#requestChunked) return writeAllSoon(this.#socket, chunkOf(chunk));
    return writeSoon(this.#socket, chunk);
  }

  onEnd(trailers: FieldBlock | null): void {
    if (this.#requestChunked) writeSoon(this.#socket, lastChunk(trailers));
    this.#sending = false;
    this.#requestBody = null;
    this.#settleIfDone();
  }

  onError(error: ProxyError): void {
    this.#fail(error);
  }

  #writeRequest(headText: string, body: Body): void {
    this.#requestChunked = body.length === CHUNKED;
    const whole = this.#requestChunked ? null : body.takeWhole();
    writeSoon(this.#socket, joinHead(headText, whole));
    if (whole !== null || body.length === 0) {
      this.#sending = false;
      return;
    }
    this.#sending = true;
    this.#requestBody = body;
    body.attach(this);
  }

  #onData(chunk: Buffer): void {
    try {
      this.#read(chunk);
    } catch (error) {
      this.#fail(
        error instanceof ProxyError ? error : new ProxyError('internal_error', String(error), { cause: error }),
      );
    }
    if (!this.#tunnelled) this.#reading.apply();
  }

  #read(chunk: Buffer): void {
    let at = 0;
    if (this.#reader === null) {
      const owner = this.#owner;
      // Bytes that nobody asked for: an unsolicited answer would go to the next caller.
      if (owner === null) return this.#close();
      const behind = this.#readHeads(chunk, owner);
      if (behind === null) return;
      chunk = behind;
    }
    const reader = this.#reader as BodyReader | null;
    if (reader === null || reader.done) {
      if (chunk.length > 0 && !this.#tunnelled) this.#keepAlive = false;
      return this.#settleIfDone();
    }
    at = reader.read(chunk, 0);
    if (at < chunk.length) this.#keepAlive = false;
    if (reader.done) this.#settleIfDone();
  }

  /** Reads interim heads and the final one; returns the bytes behind it, or null when more are needed. */
  #readHeads(chunk: Buffer, owner: RequestOwner): Buffer | null {
    let data = this.#partial === null ? chunk : Buffer.concat([this.#partial, chunk]);
    this.#partial = null;
    for (;;) {
      const end = endOfHead(data, 0);
      if (end > this.#limits.block || (end < 0 && data.length > this.#limits.block)) {
        throw new ProxyError('upstream_protocol_error', 'the head of the answer is too large');
      }
      if (end < 0) {
        this.#partial = data;
        return null;
      }
      const head = parseResponseHead(data, 0, end + 4, owner.method, this.#limits);
      const behind = end + 4 === data.length ? EMPTY : data.subarray(end + 4);
      if (head.status >= 200 || head.status === 101) {
        this.#answer(head, owner, behind);
        return this.#tunnelled ? null : behind;
      }
      if (++this.#informational > this.#limits.interimAnswers) {
        throw new ProxyError('upstream_protocol_error', 'too many interim answers');
      }
      if (head.status !== 100) owner.onInformational(head);
      data = behind;
      if (data.length === 0) return null;
    }
  }

  #answer(head: ResponseHead, owner: RequestOwner, behind: Buffer): void {
    if (head.status === 101) return this.#upgrade(head, owner, behind);
    this.#answered = true;
    this.#keepAlive = head.keepAlive;
    const body = new Body(head.length, this);
    this.#reader = new BodyReader(body, this.#limits, badBody);
    if (head.length === 0) this.#reader.done = true;
    owner.onReply({ head, body, tunnel: null });
  }

  #upgrade(head: ResponseHead, owner: RequestOwner, behind: Buffer): void {
    if (!head.upgraded || !owner.upgrade) throw new ProxyError('upstream_protocol_error', '101 that nobody asked for');
    this.#answered = true;
    this.#tunnelled = true;
    this.#keepAlive = false;
    this.#owner = null;
    this.#home.gone(this);
    writeNow(this.#socket);
    this.#socket.removeAllListeners('data');
    this.#socket.pause();
    owner.onReply({ head, body: NO_BODY, tunnel: this.#tunnelEnd(behind, owner) });
  }

  #tunnelEnd(behind: Buffer, owner: RequestOwner): TunnelEnd {
    return {
      join: (other, first, onClosed) => {
        joinStreams(this.#socket, other, behind, first, () => {
          owner.onSettled();
          onClosed();
        });
      },
      destroy: () => {
        this.#socket.destroy();
        owner.onSettled();
      },
    };
  }

  #settleIfDone(): void {
    const owner = this.#owner;
    if (owner === null || this.#reader === null || !this.#reader.done) return;
    if (this.#sending) {
      // Answered before the request was complete: whatever still comes from the caller, this connection is spent.
      this.#keepAlive = false;
      this.#requestBody?.abandon();
    }
    this.#owner = null;
    this.#reader = null;
    this.resumeBody();
    owner.onSettled();
    if (this.#keepAlive && !this.#closed && !this.#isSpent) this.#home.free(this);
    else this.#close();
  }

  #onEnd(): void {
    if (this.#tunnelled) return;
    this.#ended = true;
    const reader = this.#reader;
    if (reader !== null && !reader.done && reader.body.length === UNTIL_CLOSE) return this.#confirmEnd(reader);
    this.#fail(this.#brokenOff());
  }

  /**
   * The end of an answer that nothing but the end of its connection tells. A reset that comes together with the last
   * bytes looks like a clean end (libuv sees a hang-up behind a partial read); writing, even nothing, tells them apart.
   */
  #confirmEnd(reader: BodyReader): void {
    this.#socket.write(EMPTY, (error) => {
      if (this.#reader !== reader) return;
      if (error) return this.#fail(this.#brokenOff());
      this.#keepAlive = false;
      reader.connectionEnded();
      this.#settleIfDone();
    });
  }

  #onClose(): void {
    if (this.#tunnelled) return;
    this.#fail(this.#brokenOff());
  }

  /**
   * What the end of the connection means for the request on it. One that got a byte of an answer lost no race and is not
   * sent once more for that; whether it is retried is its policy's affair.
   */
  #brokenOff(): ProxyError {
    if (this.#answered && this.#owner !== null) return new ProxyError('truncated_response');
    if (this.#partial === null && this.#informational === 0) return new ProxyError('connection_termination');
    return new ProxyError('upstream_protocol_error', 'the answer broke off before its head was whole');
  }

  #fail(error: ProxyError): void {
    const owner = this.#owner;
    const reader = this.#reader;
    this.#owner = null;
    this.#reader = null;
    this.#close();
    if (owner === null) return;
    this.#requestBody = null;
    owner.onSettled();
    if (this.#answered) reader?.body.fail(error);
    else owner.onFailure(error, this.#ended);
  }

  #close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#home.gone(this);
    this.#socket.destroy();
  }
}

const EMPTY = Buffer.alloc(0);

function badBody(): ProxyError {
  return new ProxyError('upstream_protocol_error', 'a malformed body');
}
