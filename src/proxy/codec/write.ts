import type { FieldBlock } from './field-block.js';
import type { RequestHead, ResponseHead } from './message.js';
import { CHUNKED, UNTIL_CLOSE } from './message.js';

/**
 * Heads as text. Framing is written from what the parser understood, never copied from the other side (F2): a length
 * that is known becomes Content-Length, anything else chunked, and a message without body gets no framing that promises
 * one.
 */
export function requestHeadText(head: RequestHead, extra: string): string {
  let text = `${head.method} ${head.target} HTTP/1.1\r\nhost: ${head.host}\r\n`;
  text += head.fields.lines() + extra;
  if (head.length > 0) text += `content-length: ${head.length}\r\n`;
  else if (head.length === CHUNKED) text += 'transfer-encoding: chunked\r\n';
  else if (methodExpectsBody(head.method)) text += 'content-length: 0\r\n';
  if (head.takesTrailers) text += 'te: trailers\r\n';
  if (head.upgrade !== '') text += `connection: upgrade\r\nupgrade: ${head.upgrade}\r\n`;
  return `${text}\r\n`;
}

export interface ResponseFraming {
  readonly method: string;
  /** Close the connection after this answer, and say so. */
  readonly close: boolean;
}

/** Status line and fields of an answer. */
export function responseHeadText(head: ResponseHead, framing: ResponseFraming): string {
  let text = `HTTP/1.1 ${head.status} ${head.reason}\r\n${head.fields.lines()}`;
  if (head.upgraded) return `${text}connection: upgrade\r\nupgrade: websocket\r\n\r\n`;
  if (head.length > 0) text += `content-length: ${head.length}\r\n`;
  else if (head.length === CHUNKED || head.length === UNTIL_CLOSE) text += 'transfer-encoding: chunked\r\n';
  else if (head.declaredLength >= 0) text += `content-length: ${head.declaredLength}\r\n`;
  else if (framing.method !== 'HEAD' && head.status !== 204 && head.status !== 304 && head.status >= 200) {
    text += 'content-length: 0\r\n';
  }
  return framing.close ? `${text}connection: close\r\n\r\n` : `${text}\r\n`;
}

function methodExpectsBody(method: string): boolean {
  return method === 'POST' || method === 'PUT' || method === 'PATCH';
}

/** Head and body in one piece: one write, one TLS record. A head alone stays text, which the socket writes directly. */
export function joinHead(text: string, body: Buffer | null): string | Buffer {
  if (body === null) return text;
  const whole = Buffer.allocUnsafe(text.length + body.length);
  whole.write(text, 0, 'latin1');
  body.copy(whole, text.length);
  return whole;
}

const CRLF = Buffer.from('\r\n', 'latin1');
const LAST_CHUNK = Buffer.from('0\r\n\r\n', 'latin1');

/** Chunks up to this size are copied into one piece with their size line, since small writes cost more than copying. */
const WORTH_COPYING = 16 * 1024;

/** The pieces in which some data goes as one chunk. */
export function chunkOf(data: Buffer): (string | Buffer)[] {
  const size = `${data.length.toString(16)}\r\n`;
  if (data.length > WORTH_COPYING) return [size, data, CRLF];
  return [Buffer.concat([Buffer.from(size, 'latin1'), data, CRLF])];
}

/** The end of a chunked body, with trailers if there are any. */
export function lastChunk(trailers: FieldBlock | null): Buffer {
  return trailers === null ? LAST_CHUNK : Buffer.from(`0\r\n${trailers.lines()}\r\n`, 'latin1');
}
