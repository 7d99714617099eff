import type { Slashes } from '../../model/limits.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { ByteNames } from './byte-names.js';
import { SP, TARGET } from './bytes.js';
import {
  applyConnection,
  clearHopFields,
  emptyHopFields,
  type HeadLimits,
  type HopFields,
  parseFields,
  parseLength,
} from './fields.js';
import { CHUNKED, type RequestHead } from './message.js';
import { canonicalHost, servedTarget } from './target.js';

const RULES = {
  odd: false,
  bad: (): ProxyError => new ProxyError('bad_request', 'a malformed field line'),
  tooMany: (most: number): ProxyError => new ProxyError('headers_too_large', `more than ${most} fields`),
};
const VERSION = Uint8Array.from(Buffer.from(' HTTP/1.1\r\n', 'latin1'));
const HOP = emptyHopFields();

/** Methods that pass. TRACE echoes credentials, CONNECT opens tunnels: neither crosses a sidecar. */
const METHODS = new ByteNames(
  [
    'GET',
    'HEAD',
    'POST',
    'PUT',
    'DELETE',
    'OPTIONS',
    'PATCH',
    'PROPFIND',
    'REPORT',
    'SEARCH',
    'QUERY',
    'LINK',
    'UNLINK',
    'PURGE',
  ].map((method) => [method, method] as const),
);

/**
 * Parses the head in `buffer[start, end)`, `end` just behind the empty line. RFC 9112 §3 and §6, with every leniency off
 * (security rules, 2.2). Throws ProxyError with the code that the client's answer is made of.
 */
export function parseRequestHead(buffer: Buffer, start: number, end: number, limits: HeadLimits): RequestHead {
  const methodEnd = buffer.indexOf(SP, start);
  const targetStart = methodEnd + 1;
  let at = targetStart;
  while (TARGET[buffer[at] as number] === 1) at++;
  if (methodEnd <= start || methodEnd - start > 16 || at === targetStart) throw malformed('the request line');
  if (at - start > limits.line) throw new ProxyError('uri_too_long');
  checkVersion(buffer, at, end);
  const method = METHODS.find(buffer, start, methodEnd);
  if (method === undefined) throw methodError(buffer.toString('latin1', start, methodEnd));
  const hop = clearHopFields(HOP);
  const { text, fields } = parseFields(buffer, at + VERSION.length, end - 2, hop, limits, RULES, start);
  const options = applyConnection(hop.connection, fields);
  const host = hostOf(hop);
  const target = targetOf(text.substring(targetStart - start, at - start), { method, host, slashes: limits.slashes });
  const length = requestLength(hop);
  return {
    method,
    target,
    host,
    fields,
    length,
    keepAlive: !options.close,
    upgrade: upgradeOf(hop, options.upgrade, length, method),
    expectContinue: expectsContinue(hop.expect, length),
    dropped: options.dropped,
    takesTrailers: hop.te !== '' && /(^|[,\s])trailers($|[,;\s])/i.test(hop.te),
  };
}

function malformed(what: string): ProxyError {
  return new ProxyError('bad_request', `malformed: ${what}`);
}

function checkVersion(buffer: Buffer, at: number, end: number): void {
  let i = 0;
  while (i < VERSION.length && buffer[at + i] === VERSION[i]) i++;
  if (i === VERSION.length && at + i <= end) return;
  const text = buffer.toString('latin1', at, Math.min(at + 11, end));
  if (text === ' HTTP/1.0\r\n') throw new ProxyError('low_version');
  if (/^ HTTP\/[02-9]\.[0-9]\r\n$/.test(text)) throw new ProxyError('http_version', text.trim());
  throw malformed('the request line');
}

function methodError(method: string): ProxyError {
  if (method === 'CONNECT' || method === 'TRACE') return new ProxyError('method_not_allowed', method);
  return malformed('the method');
}

function hostOf(hop: HopFields): string {
  if (hop.hostLines !== 1) throw new ProxyError('missing_host', hop.hostLines === 0 ? 'no Host' : 'more than one Host');
  return canonicalHost(hop.host);
}

/** The target in canonical origin-form; absolute-form must agree with Host (A7). */
function targetOf(
  raw: string,
  { method, host, slashes }: { readonly method: string; readonly host: string; readonly slashes: Slashes },
): string {
  if (raw.charCodeAt(0) === 47) return servedTarget(raw, slashes);
  if (raw === '*' && method === 'OPTIONS') return raw;
  const match = /^http:\/\/([^/?]+)(\/[^?]*)?(\?.*)?$/i.exec(raw);
  if (!match) throw malformed('the request target');
  if (withPort(canonicalHost(match[1] as string)) !== withPort(host)) {
    throw new ProxyError('bad_request', 'the absolute target and Host disagree');
  }
  return servedTarget((match[2] ?? '/') + (match[3] ?? ''), slashes);
}

function withPort(host: string): string {
  return /:[0-9]+$/.test(host) ? host : `${host}:80`;
}

/** RFC 9112 §6.3 for requests: both framings, two lines of one, or anything but `chunked` is an error. */
function requestLength(hop: HopFields): number {
  if (hop.transferEncodingLines > 0) {
    if (hop.contentLengthLines > 0) throw malformed('Content-Length and Transfer-Encoding together');
    if (hop.transferEncodingLines > 1 || hop.transferEncoding.toLowerCase() !== 'chunked') {
      throw new ProxyError('transfer_encoding_unknown', hop.transferEncoding);
    }
    return CHUNKED;
  }
  if (hop.contentLengthLines === 0) return 0;
  const length = parseLength(hop.contentLength);
  if (hop.contentLengthLines > 1 || length < 0) throw malformed('Content-Length');
  return length;
}

function upgradeOf(hop: HopFields, nominated: boolean, length: number, method: string): RequestHead['upgrade'] {
  if (hop.upgrade === '' || !nominated) return '';
  if (hop.upgrade.toLowerCase() !== 'websocket') return '';
  if (length !== 0 || method !== 'GET') throw malformed('an upgrade with a body');
  return 'websocket';
}

function expectsContinue(expect: string, length: number): boolean {
  if (expect === '') return false;
  if (expect.toLowerCase() !== '100-continue') throw new ProxyError('expectation_failed', expect);
  if (length === 0) throw malformed('Expect without a body');
  return true;
}
