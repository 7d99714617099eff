import { ProxyError } from '../pipeline/proxy-error.js';
import { CR, FIELD_VALUE, LF, SP } from './bytes.js';
import {
  applyConnection,
  clearHopFields,
  emptyHopFields,
  type HeadLimits,
  type HopFields,
  parseFields,
  parseLength,
} from './fields.js';
import { CHUNKED, type ResponseHead, UNTIL_CLOSE } from './message.js';

const RULES = {
  odd: true,
  bad: (): ProxyError => new ProxyError('upstream_protocol_error', 'a malformed field line'),
  tooMany: (most: number): ProxyError => new ProxyError('upstream_protocol_error', `more than ${most} fields`),
};

const HOP = emptyHopFields();

/**
 * Parses the response head in `buffer[start, end)`. `method` decides whether a body may follow (RFC 9110 §6.4.1). An
 * HTTP/1.0 answer is taken, and its connection is not used again.
 */
export function parseResponseHead(
  buffer: Buffer,
  start: number,
  end: number,
  method: string,
  limits: HeadLimits,
): ResponseHead {
  const minor = versionOf(buffer, start);
  const status = statusOf(buffer, start + 9);
  let at = start + 12;
  if (buffer[at] === SP) at++;
  const reasonStart = at;
  while (FIELD_VALUE[buffer[at] as number] === 1) at++;
  if (buffer[at] !== CR || buffer[at + 1] !== LF) throw malformed('the status line');
  const hop = clearHopFields(HOP);
  const { text, fields } = parseFields(buffer, at + 2, end - 2, hop, limits, RULES, start);
  const options = applyConnection(hop.connection, fields);
  const bodyless = method === 'HEAD' || status === 204 || status === 304 || status < 200;
  const length = responseLength(hop, bodyless, minor);
  return {
    status,
    reason: text.substring(reasonStart - start, at - start),
    fields,
    length,
    declaredLength: bodyless && status !== 204 && status >= 200 ? parseLength(hop.contentLength) : -1,
    keepAlive: minor === 1 && !options.close && length !== UNTIL_CLOSE,
    upgraded: status === 101 && options.upgrade && hop.upgrade.toLowerCase() === 'websocket',
  };
}

function malformed(what: string): ProxyError {
  return new ProxyError('upstream_protocol_error', `malformed: ${what}`);
}

/** `HTTP/1.1 ` or `HTTP/1.0 `, as the minor digit. */
function versionOf(buffer: Buffer, start: number): 0 | 1 {
  const minor = buffer[start + 7];
  const fits =
    buffer[start] === 72 &&
    buffer[start + 1] === 84 &&
    buffer[start + 2] === 84 &&
    buffer[start + 3] === 80 &&
    buffer[start + 4] === 47 &&
    buffer[start + 5] === 49 &&
    buffer[start + 6] === 46 &&
    buffer[start + 8] === SP;
  if (!fits || (minor !== 48 && minor !== 49)) throw malformed('the status line');
  return minor === 49 ? 1 : 0;
}

function statusOf(buffer: Buffer, at: number): number {
  const hundreds = (buffer[at] as number) - 48;
  const tens = (buffer[at + 1] as number) - 48;
  const ones = (buffer[at + 2] as number) - 48;
  const next = buffer[at + 3];
  const digits = hundreds >= 1 && hundreds <= 9 && tens >= 0 && tens <= 9 && ones >= 0 && ones <= 9;
  if (!digits || (next !== SP && next !== CR)) throw malformed('the status code');
  return hundreds * 100 + tens * 10 + ones;
}

function responseLength(hop: HopFields, bodyless: boolean, minor: 0 | 1): number {
  const chunked = hop.transferEncodingLines > 0;
  if (chunked && hop.contentLengthLines > 0) throw malformed('Content-Length and Transfer-Encoding together');
  if (chunked && (hop.transferEncodingLines > 1 || hop.transferEncoding.toLowerCase() !== 'chunked' || minor === 0)) {
    throw malformed('Transfer-Encoding');
  }
  if (hop.contentLengthLines > 0 && (hop.contentLengthLines > 1 || parseLength(hop.contentLength) < 0)) {
    throw malformed('Content-Length');
  }
  if (bodyless) return 0;
  if (chunked) return CHUNKED;
  return hop.contentLengthLines > 0 ? parseLength(hop.contentLength) : UNTIL_CLOSE;
}
