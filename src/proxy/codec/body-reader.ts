import type { ProxyError } from '../pipeline/proxy-error.js';
import type { Body } from './body.js';
import { CR, FIELD_VALUE, HEX_DIGIT, LF, SEMICOLON } from './bytes.js';
import { endOfHead } from './end-of-head.js';
import type { FieldBlock } from './field-block.js';
import { dashed, emptyHopFields, type HeadLimits, isAlias, parseFields } from './fields.js';
import { CHUNKED, UNTIL_CLOSE } from './message.js';

/** What decides about a message must stand before its content (RFC 9110 §6.5.1); as trailers these are dropped. */
const NO_TRAILER =
  /^(authorization|cookie|set-cookie|content-type|content-encoding|content-range|forwarded|x-real-ip|x-request-id|traceparent|tracestate|x-mesh-.*|x-envoy-.*|x-forwarded-.*)$/;

type ChunkState = 'size' | 'extension' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'trailers';

/**
 * Cuts one message body out of the bytes of a connection, by its framing, and feeds a {@link Body}. Strict: sizes are
 * plain hexadecimal, lines end with CRLF, trailers may not frame. Throws `bad()` on anything else.
 */
export class BodyReader {
  readonly body: Body;
  done = false;
  readonly #bad: () => ProxyError;
  readonly #limits: HeadLimits;
  readonly #chunked: boolean;
  #remaining: number;
  #state: ChunkState = 'size';
  #digits = 0;
  #extension = 0;
  #trailer: Buffer | null = null;

  constructor(body: Body, limits: HeadLimits, bad: () => ProxyError) {
    this.body = body;
    this.#bad = bad;
    this.#limits = limits;
    this.#chunked = body.length === CHUNKED;
    this.#remaining = body.length === UNTIL_CLOSE ? Number.MAX_SAFE_INTEGER : Math.max(0, body.length);
  }

  /** Takes what belongs to this body from `buffer[at, …)` and returns the index behind it. */
  read(buffer: Buffer, at: number): number {
    return this.#chunked ? this.#readChunked(buffer, at) : this.#readPlain(buffer, at);
  }

  /** The connection ended cleanly: the end of an until-close body, a truncation of any other. */
  connectionEnded(): boolean {
    if (this.body.length !== UNTIL_CLOSE) return false;
    this.#finish(null);
    return true;
  }

  #readPlain(buffer: Buffer, at: number): number {
    const take = Math.min(this.#remaining, buffer.length - at);
    if (take > 0) {
      this.#remaining -= take;
      // `done` before `push`: a sink that completes a message in the same call may ask.
      if (this.#remaining === 0) this.done = true;
      this.body.push(take === buffer.length ? buffer : buffer.subarray(at, at + take), this.done);
      if (this.done) this.body.end(null);
    }
    return at + take;
  }

  #readChunked(buffer: Buffer, start: number): number {
    let at = start;
    while (at < buffer.length && !this.done) {
      if (this.#state === 'data') at = this.#readData(buffer, at);
      else if (this.#state === 'trailers') at = this.#readTrailers(buffer, at);
      else this.#readFraming(buffer[at++] as number);
    }
    return at;
  }

  #readData(buffer: Buffer, at: number): number {
    const take = Math.min(this.#remaining, buffer.length - at);
    this.#remaining -= take;
    if (this.#remaining === 0) this.#state = 'data-cr';
    this.body.push(buffer.subarray(at, at + take));
    return at + take;
  }

  #readFraming(byte: number): void {
    switch (this.#state) {
      case 'size':
        this.#readSize(byte);
        return;
      case 'extension':
        if (byte === CR) this.#state = 'size-lf';
        else if (FIELD_VALUE[byte] !== 1 || ++this.#extension > this.#limits.extension) throw this.#bad();
        return;
      case 'size-lf':
        if (byte !== LF) throw this.#bad();
        this.#state = this.#remaining === 0 ? 'trailers' : 'data';
        return;
      case 'data-cr':
        if (byte !== CR) throw this.#bad();
        this.#state = 'data-lf';
        return;
      default:
        if (byte !== LF) throw this.#bad();
        this.#state = 'size';
        this.#digits = 0;
    }
  }

  #readSize(byte: number): void {
    const digit = HEX_DIGIT[byte] as number;
    if (digit !== 255) {
      // 12 digits stay exact and are more than any disk holds.
      if (++this.#digits > 12) throw this.#bad();
      this.#remaining = this.#digits === 1 ? digit : this.#remaining * 16 + digit;
      return;
    }
    if (this.#digits === 0) throw this.#bad();
    if (byte === CR) this.#state = 'size-lf';
    else if (byte === SEMICOLON) this.#state = 'extension';
    else throw this.#bad();
  }

  /** Trailer section: CRLF alone, or field lines and an empty one. */
  #readTrailers(buffer: Buffer, at: number): number {
    const before = this.#trailer?.length ?? 0;
    const block = before === 0 ? buffer.subarray(at) : Buffer.concat([this.#trailer as Buffer, buffer.subarray(at)]);
    if (block[0] === CR && block.length >= 2) {
      if (block[1] !== LF) throw this.#bad();
      this.#finish(null);
      return at + 2 - before;
    }
    const end = endOfHead(block, 0);
    if ((end < 0 ? block.length : end) > this.#limits.block) throw this.#bad();
    if (end < 0) {
      this.#trailer = Buffer.from(block);
      return buffer.length;
    }
    this.#finish(this.#parseTrailers(block, end + 2));
    return at + end + 4 - before;
  }

  #parseTrailers(block: Buffer, end: number): FieldBlock | null {
    const hop = emptyHopFields();
    const { fields } = parseFields(Buffer.from(block.subarray(0, end)), 0, end, hop, this.#limits, {
      odd: true,
      bad: this.#bad,
      tooMany: this.#bad,
    });
    if (hop.contentLengthLines + hop.transferEncodingLines + hop.hostLines > 0) throw this.#bad();
    for (const name of namesOf(fields)) if (NO_TRAILER.test(dashed(name)) || isAlias(name)) fields.remove(name);
    return fields.isEmpty ? null : fields;
  }

  #finish(trailers: FieldBlock | null): void {
    this.done = true;
    this.body.end(trailers);
  }
}

function namesOf(fields: FieldBlock): string[] {
  return fields.pairs().filter((_, i) => i % 2 === 0);
}
