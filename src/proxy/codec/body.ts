import { ProxyError } from '../pipeline/proxy-error.js';
import type { FieldBlock } from './field-block.js';

/** Who takes a body's bytes. Returning false asks the source to stop until {@link Body.resume}. */
export interface BodySink {
  onChunk(chunk: Buffer): boolean;
  onEnd(trailers: FieldBlock | null): void;
  onError(error: ProxyError): void;
}

/** Who gives a body's bytes: the connection that reads them. */
export interface BodySource {
  pauseBody(): void;
  resumeBody(): void;
  /** Nobody wants the rest: the connection drains it or ends. */
  abandonBody(): void;
}

/**
 * One message body on its way through: chunks wait here until a sink takes them, and the source is paused meanwhile, so
 * that never more than one read's worth is held. With {@link keepForReplay} the chunks are kept as well (up to a limit),
 * so that another attempt can start from the beginning.
 */
export class Body {
  /** Bytes announced: 0 = none, -1 = chunked, -2 = until close. */
  readonly length: number;
  /** Bytes seen so far. */
  bytes = 0;
  /** The last byte has arrived from the source. */
  complete: boolean;
  error: ProxyError | null = null;
  trailers: FieldBlock | null = null;
  /** Called once when the first sink attaches: the moment to answer `Expect: 100-continue`. */
  onFirstUse: (() => void) | null = null;
  #source: BodySource | null;
  #sink: BodySink | null = null;
  #queue: Buffer[] = NO_CHUNKS;
  #kept: Buffer[] | null = null;
  #keepLimit = 0;
  #copies: readonly { readonly body: Body; readonly limit: number }[] = NO_COPIES;

  constructor(length: number, source: BodySource | null) {
    this.length = length;
    this.#source = source;
    this.complete = length === 0;
  }

  /** The whole body, if it is one waiting chunk and complete: lets a writer put head and body into one write. */
  takeWhole(): Buffer | null {
    if (!this.complete || this.#queue.length !== 1 || this.trailers !== null || this.#sink) return null;
    this.#used();
    const whole = this.#queue[0] as Buffer;
    this.#queue = NO_CHUNKS;
    return whole;
  }

  /** Everything that came is still here (kept or never taken), so another attempt may send it again. */
  get replayable(): boolean {
    return this.bytes === 0 || this.#kept !== null;
  }

  /** Keeps up to `limit` bytes for another attempt; call before the first sink attaches. */
  keepForReplay(limit: number): void {
    if (this.length === 0) return;
    this.#kept = [...this.#queue];
    this.#keepLimit = limit;
    this.#forgetIfTooLong();
  }

  /** No further attempt will come. */
  stopKeeping(): void {
    this.#kept = null;
  }

  /**
   * A second body of the same bytes, for a mirror; call before the first sink attaches. It does not slow this one down:
   * when more than `limit` bytes have come, the copy breaks off.
   */
  copy(limit: number): Body {
    if (this.length === 0) return NO_BODY;
    const copy = new Body(this.length, null);
    this.#copies = [...this.#copies, { body: copy, limit }];
    for (const chunk of this.#queue) this.#pushCopies(chunk);
    if (this.complete) copy.end(this.trailers);
    return copy;
  }

  /** Detaches the sink and starts again from the first byte; only while {@link replayable}. */
  rewind(): void {
    this.#sink = null;
    if (this.#kept !== null) this.#queue = [...this.#kept];
  }

  /** Starts the flow into `sink`: first what waits, then what comes. */
  attach(sink: BodySink): void {
    this.#used();
    this.#sink = sink;
    this.#flush();
  }

  /** The sink takes bytes again. */
  resume(): void {
    if (this.#sink) this.#flush();
  }

  /** Nobody takes the rest any more. */
  abandon(): void {
    this.#sink = null;
    this.#queue = NO_CHUNKS;
    this.#kept = null;
    if (!this.complete && this.error === null) this.#source?.abandonBody();
  }

  /** From the source: a chunk arrived. Its memory must stay unchanged afterwards. `last`: nothing follows it. */
  push(chunk: Buffer, last = false): void {
    this.bytes += chunk.length;
    if (this.#copies.length > 0) this.#pushCopies(chunk);
    if (this.#kept !== null) {
      this.#kept.push(chunk);
      this.#forgetIfTooLong();
    }
    if (this.#sink !== null && this.#queue.length === 0) {
      if (!this.#sink.onChunk(chunk) && !last) this.#source?.pauseBody();
      return;
    }
    if (this.#queue.length === 0) this.#queue = [chunk];
    else this.#queue.push(chunk);
    if (!last) this.#source?.pauseBody();
  }

  /** From the source: the last byte was the last. */
  end(trailers: FieldBlock | null): void {
    this.complete = true;
    this.trailers = trailers;
    for (let i = 0; i < this.#copies.length; i++) this.#copies[i]?.body.end(trailers);
    // What comes now is no part of this body: the next message, or the news that the peer left.
    this.#source?.resumeBody();
    if (this.#sink !== null && this.#queue.length === 0) this.#finish(this.#sink);
  }

  /** From the source: the message broke off. */
  fail(error: ProxyError): void {
    if (this.complete || this.error !== null) return;
    this.error = error;
    for (const { body } of this.#copies) body.fail(error);
    const sink = this.#sink;
    this.#sink = null;
    sink?.onError(error);
  }

  #pushCopies(chunk: Buffer): void {
    for (const { body, limit } of this.#copies) {
      if (body.error !== null) continue;
      if (body.bytes + chunk.length > limit)
        body.fail(new ProxyError('client_gone', 'the body is too long for a copy'));
      else body.push(chunk);
    }
  }

  #used(): void {
    const first = this.onFirstUse;
    this.onFirstUse = null;
    first?.();
  }

  #flush(): void {
    while (this.#queue.length > 0) {
      const sink = this.#sink;
      if (sink === null) return;
      if (!sink.onChunk(this.#queue.shift() as Buffer)) return;
    }
    if (this.#sink === null) return;
    if (this.error !== null) this.#sink.onError(this.error);
    else if (this.complete) this.#finish(this.#sink);
    else this.#source?.resumeBody();
  }

  #finish(sink: BodySink): void {
    this.#sink = null;
    sink.onEnd(this.trailers);
  }

  #forgetIfTooLong(): void {
    if (this.bytes > this.#keepLimit) this.#kept = null;
  }
}

const NO_COPIES: readonly never[] = [];

/** Shared: the first chunk makes a queue of its own. */
const NO_CHUNKS: Buffer[] = [];

/** The body of every message without one: complete from the start, so it holds nothing of any of them. */
export const NO_BODY = new Body(0, null);

/** A body that is here already. */
export function bodyOf(content: Buffer): Body {
  const body = new Body(content.length, null);
  if (content.length > 0) {
    body.push(content);
    body.end(null);
  }
  return body;
}
