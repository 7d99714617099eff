import type { FieldBlock } from './field-block.js';

/**
 * Heads of HTTP/1.1 messages as the codec hands them on: end-to-end fields only. What frames the message (length,
 * chunked, connection options) was taken out by the parser and stands in fields of its own, so nothing can be framed one
 * way here and another way behind us.
 */

export interface RequestHead {
  readonly method: string;
  /** Origin-form target, canonical: what is matched, recorded and forwarded. */
  target: string;
  /** Authority as sent, lower-case: `ratings:9080`. */
  host: string;
  readonly fields: FieldBlock;
  /** Bytes of the body: 0 = none, -1 = chunked. */
  readonly length: number;
  /** The client keeps its connection open after the answer. */
  readonly keepAlive: boolean;
  /** `websocket` when the client asks to upgrade; nothing else is taken over. */
  readonly upgrade: 'websocket' | '';
  readonly expectContinue: boolean;
  /** The client takes trailers (`te: trailers`). */
  readonly takesTrailers: boolean;
  /** Fields that `Connection` named away; null = none. */
  readonly dropped: FieldBlock | null;
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  readonly fields: FieldBlock;
  /** Bytes of the body: 0 = none, -1 = chunked, -2 = until the connection ends. */
  readonly length: number;
  /** Content-Length as declared where no body follows (HEAD, 304); -1 = not declared. */
  readonly declaredLength: number;
  readonly keepAlive: boolean;
  /** Answered 101 to an upgrade. */
  readonly upgraded: boolean;
}

export const CHUNKED = -1;
export const UNTIL_CLOSE = -2;
