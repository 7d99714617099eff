/**
 * A second reading of HTTP/1.1, against which the codec is held: slow, on whole texts, by regular expressions, written
 * from RFC 9110, RFC 9112 and the security rules, and sharing no line with `src/proxy/codec`. Texts are latin1, one
 * character per byte.
 */

export interface ReadRequest {
  readonly method: string;
  readonly target: string;
  readonly host: string;
  /** End-to-end fields as they leave: `name: value`. */
  readonly lines: readonly string[];
  readonly framing: 'none' | 'length' | 'chunked';
  readonly body: string;
  readonly trailers: readonly string[];
  readonly takesTrailers: boolean;
  readonly upgrade: boolean;
  /** Where it ends in the text. */
  readonly end: number;
}

/** What stands behind the last whole request. */
export type Tail =
  /** Nothing. */
  | 'clean'
  /** The beginning of a message. */
  | 'partial'
  /** Something that is no message, and never will be. */
  | 'refused'
  /** The last request asked to close: whatever follows is not read. */
  | 'closed';

export interface Reading {
  readonly requests: readonly ReadRequest[];
  readonly tail: Tail;
  /** Why the rest is refused, for a person. */
  readonly why: string;
}

const HEAD_LIMIT = 16 * 1024;
const LINE_LIMIT = 8 * 1024;
const MOST_FIELDS = 100;
const METHODS = 'GET|HEAD|POST|PUT|DELETE|OPTIONS|PATCH|PROPFIND|REPORT|SEARCH|QUERY|LINK|UNLINK|PURGE';
const REQUEST_LINE = new RegExp(`^(${METHODS}) ([!$-;=?-\\[\\]^_a-z{|}~]+) HTTP/1\\.1$`);
const FIELD = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*([\t -~]*?)[ \t]*$/;
const HOP =
  /^(connection|te|upgrade|expect|content-length|transfer-encoding|host|keep-alive|proxy-connection|proxy-authenticate|proxy-authorization|trailer|http2-settings)$/;
const PROTECTED =
  /^(host|content-length|transfer-encoding|authorization|cookie|traceparent|tracestate|x-request-id|forwarded|x-real-ip|x-forwarded-.*|x-mesh-.*|x-envoy-.*)$/;
const OURS = /^(x-mesh-.*|x-envoy-.*|x-forwarded-client-cert)$/;
/** Written by every sidecar anew; no part of the comparison. */
export const OWN_LINES = /^(traceparent|tracestate|x-request-id|x-envoy-attempt-count|x-mesh-source):/;

class Refused extends Error {}
class Partial extends Error {}

/** Reads requests as strictly as a sidecar must. `own`: how many fields of its own a sidecar may have added. */
export function readRequests(text: string, own = 0): Reading {
  const requests: ReadRequest[] = [];
  let at = 0;
  try {
    for (;;) {
      if (text.startsWith('\r\n', at)) at += 2;
      if (at >= text.length) return { requests, tail: 'clean', why: '' };
      const { request, close } = readRequest(text, at, own);
      requests.push(request);
      at = request.end;
      if (close) return { requests, tail: 'closed', why: '' };
    }
  } catch (thrown) {
    if (thrown instanceof Partial) return { requests, tail: 'partial', why: thrown.message };
    if (thrown instanceof Refused) return { requests, tail: 'refused', why: thrown.message };
    throw thrown;
  }
}

function readRequest(text: string, start: number, own: number): { request: ReadRequest; close: boolean } {
  const { lines, end } = headLines(text, start, own * 128);
  const [first = '', ...rest] = lines;
  if (first.lastIndexOf(' ') > LINE_LIMIT) throw new Refused('a long request line');
  const line = REQUEST_LINE.exec(first);
  if (line === null) throw new Refused('the request line');
  const fields = readFields(
    rest,
    (name) => {
      if (name.includes('_') || (/[^a-z0-9-]/.test(name) && isAlias(name))) throw new Refused(`the name ${name}`);
    },
    own,
  );
  const of = (name: string): string[] => fields.filter(([known]) => known === name).map(([, value]) => value);
  const connection = of('connection')
    .join(',')
    .toLowerCase()
    .split(',')
    .map((option) => option.trim());
  const nominated = new Set(connection.filter((option) => !/^(close|keep-alive|upgrade)$/.test(option)));
  const hosts = of('host');
  if (hosts.length !== 1) throw new Refused('Host');
  const host = readHost(hosts[0] as string);
  const framing = framingOf(of('transfer-encoding'), of('content-length'));
  const length = framing === 'length' ? Number(of('content-length')[0]) : 0;
  const hasBody = framing === 'chunked' || length > 0;
  const expect = of('expect').reduce((all, value) => (all === '' ? value : `${all},${value}`), '');
  if (!/^(100-continue)?$/i.test(expect)) throw new Refused('Expect');
  if (expect !== '' && !hasBody) throw new Refused('Expect without a body');
  const [, method = '', rawTarget = ''] = line;
  const upgrade = connection.includes('upgrade') && of('upgrade').at(-1)?.toLowerCase() === 'websocket';
  if (upgrade && (hasBody || method !== 'GET')) throw new Refused('an upgrade with a body');
  const target = readTarget(rawTarget, method, host);
  const kept = fields.filter(
    ([name]) => !HOP.test(name) && !OURS.test(name) && (PROTECTED.test(name) || !nominated.has(name)),
  );
  const message = framing === 'chunked' ? readChunked(text, end) : readCounted(text, end, length);
  return {
    close: connection.includes('close'),
    request: {
      method,
      target,
      host,
      lines: kept.map(([name, value]) => `${name}: ${value}`).filter((known) => !OWN_LINES.test(known)),
      framing: framing === 'length' && length === 0 ? 'none' : framing,
      takesTrailers: /(^|[,\s])trailers($|[,;\s])/i.test(of('te').join(',')),
      upgrade,
      ...message,
    },
  };
}

/** Names that a server which reads every odd character as a dash takes for one that means something. */
function isAlias(name: string): boolean {
  const folded = name.replace(/[^a-z0-9]/g, '-');
  return HOP.test(folded) || PROTECTED.test(folded);
}

function headLines(text: string, start: number, more = 0): { lines: string[]; end: number } {
  const end = text.indexOf('\r\n\r\n', start);
  const limit = HEAD_LIMIT + more;
  if (end < 0 && text.length - start <= limit) throw new Partial('no end of the head');
  if (end < 0 || end - start > limit) throw new Refused('a large head');
  return { lines: text.slice(start, end).split('\r\n'), end: end + 4 };
}

function readFields(
  lines: readonly string[],
  check: (name: string) => void,
  more = 0,
): [name: string, value: string][] {
  if (lines.length > MOST_FIELDS + more) throw new Refused('many fields');
  return lines.map((line) => {
    const match = FIELD.exec(line);
    if (match === null) throw new Refused(`the line ${JSON.stringify(line.slice(0, 60))}`);
    const name = (match[1] as string).toLowerCase();
    check(name);
    return [name, match[2] as string];
  });
}

function framingOf(codings: readonly string[], lengths: readonly string[]): ReadRequest['framing'] {
  if (codings.length + lengths.length > 1) throw new Refused('more than one framing');
  if (codings.length === 1) {
    if (!/^chunked$/i.test(codings[0] as string)) throw new Refused('a coding that is not chunked');
    return 'chunked';
  }
  if (lengths.length === 0) return 'none';
  if (!/^\d{1,15}$/.test(lengths[0] as string)) throw new Refused('Content-Length');
  return 'length';
}

export function readHost(value: string): string {
  const match = /^([a-z0-9]|[a-z0-9][a-z0-9_.-]*[a-z0-9]|\[[0-9a-f:.]+\])(\.?)(?::(\d{1,5}))?$/i.exec(value);
  if (match === null || (match[1]?.startsWith('[') && match[2] === '.')) throw new Refused('Host');
  const name = (match[1] as string).toLowerCase();
  if (match[3] === undefined) return name;
  const port = Number(match[3]);
  if (port < 1 || port > 65_535) throw new Refused('the port of Host');
  return `${name}:${port}`;
}

function readTarget(raw: string, method: string, host: string): string {
  if (raw === '*' && method === 'OPTIONS') return raw;
  if (raw.startsWith('/')) return readPath(raw);
  const match = /^http:\/\/([^/?]+)(\/[^?]*)?(\?.*)?$/i.exec(raw);
  if (match === null) throw new Refused('the target');
  const authority = readHost(match[1] as string);
  const full = (name: string): string => (/:\d+$/.test(name) ? name : `${name}:80`);
  if (full(authority) !== full(host)) throw new Refused('the target and Host disagree');
  return readPath((match[2] ?? '/') + (match[3] ?? ''));
}

/** Escapes of slashes and unreserved characters, then RFC 3986 §5.2.4, then slashes: as Istio documents it. */
export function readPath(target: string): string {
  const [path = '', ...query] = target.split('?');
  const rest = query.length === 0 ? '' : `?${query.join('?')}`;
  if (/%(?![0-9a-f]{2})/i.test(path) || path.includes('%00')) throw new Refused('an escape');
  const decoded = path.replace(/%(2f|5c)/gi, '/').replace(/%[0-9a-f]{2}/gi, (text) => {
    const character = String.fromCharCode(Number.parseInt(text.slice(1), 16));
    return /[A-Za-z0-9._~-]/.test(character) ? character : text.toUpperCase();
  });
  const out: string[] = [];
  const segments = decoded.split('/').slice(1);
  segments.forEach((segment, i) => {
    const last = i === segments.length - 1;
    if (/^\.\.?;/.test(segment)) throw new Refused('a dot segment with parameters');
    if (segment === '..' && out.pop() === undefined) throw new Refused('a path above the root');
    if (segment !== '.' && segment !== '..') out.push(segment);
    else if (last) out.push('');
  });
  return `/${out.join('/')}`.replace(/\/{2,}/g, '/') + rest;
}

type Content = Pick<ReadRequest, 'body' | 'trailers' | 'end'>;

function readCounted(text: string, at: number, length: number): Content {
  if (text.length - at < length) throw new Partial('the body');
  return { body: text.slice(at, at + length), trailers: [], end: at + length };
}

function readChunked(text: string, start: number): Content {
  let at = start;
  let body = '';
  let extensions = 0;
  for (;;) {
    const line = sticky(/([0-9a-fA-F]{1,12})(?:;([\t -~]*))?\r\n/y, text, at);
    if (line === null) {
      const rest = /^(?:|[0-9a-fA-F]{1,12}(?:;[\t -~]*)?\r?)$/.exec(text.slice(at, at + 8_192));
      if (rest === null || rest[0].length + extensions > 5_000) throw new Refused('a chunk size');
      throw new Partial('a chunk size');
    }
    extensions += line[2]?.length ?? 0;
    if (extensions > 4_096) throw new Refused('long chunk extensions');
    at += line[0].length;
    const size = Number.parseInt(line[1] as string, 16);
    if (size === 0) return readTrailers(text, at, body);
    body += text.slice(at, at + size);
    at += size;
    const end = text.slice(at, at + 2);
    if (!'\r\n'.startsWith(end)) throw new Refused('the end of a chunk');
    if (end !== '\r\n') throw new Partial('a chunk');
    at += 2;
  }
}

const NO_TRAILER =
  /^(authorization|cookie|set-cookie|content-type|content-encoding|content-range|forwarded|x-real-ip|x-request-id|traceparent|tracestate|x-mesh-.*|x-envoy-.*|x-forwarded-.*)$/;

function readTrailers(text: string, at: number, body: string): Content {
  if (text.startsWith('\r\n', at)) return { body, trailers: [], end: at + 2 };
  if (text.slice(at) === '' || text.slice(at) === '\r') throw new Partial('trailers');
  if (text[at] === '\r') throw new Refused('a bare CR');
  const { lines, end } = headLines(text, at);
  const trailers = readFields(lines, () => {});
  if (trailers.some(([name]) => /^(content-length|transfer-encoding|host)$/.test(name)))
    throw new Refused('framing trailers');
  const kept = trailers.filter(([name]) => {
    const folded = name.replace(/[^a-z0-9]/g, '-');
    return !HOP.test(folded) && !NO_TRAILER.test(folded);
  });
  return { body, trailers: kept.map(([name, value]) => `${name}: ${value}`), end };
}

function sticky(expression: RegExp, text: string, at: number): RegExpExecArray | null {
  expression.lastIndex = at;
  return expression.exec(text);
}

/** The head that a sidecar must write for a request, own lines left out. */
export function canonicalHead(request: ReadRequest): string {
  const { method, target, host, lines, framing, body, takesTrailers, upgrade } = request;
  const framed = {
    none: /^(POST|PUT|PATCH)$/.test(method) ? ['content-length: 0'] : [],
    length: [`content-length: ${body.length}`],
    chunked: ['transfer-encoding: chunked'],
  }[framing];
  return [
    `${method} ${target} HTTP/1.1`,
    `host: ${host}`,
    ...lines,
    ...framed,
    ...(takesTrailers ? ['te: trailers'] : []),
    ...(upgrade ? ['connection: upgrade', 'upgrade: websocket'] : []),
  ].join('\r\n');
}

export interface ReadAnswer {
  readonly status: number;
  readonly lines: readonly string[];
  readonly body: string;
  readonly trailers: readonly string[];
  readonly interim: readonly number[];
  readonly end: number;
  /** The connection is not used again behind it. */
  readonly close: boolean;
}

/**
 * Reads one final answer (and the interim ones before it). `ended`: nothing follows the text. Null = it broke off.
 * Throws `Refused` where it is no HTTP/1.1.
 */
export function readAnswer(text: string, start: number, method: string, ended: boolean): ReadAnswer | null {
  const interim: number[] = [];
  let at = start;
  try {
    for (;;) {
      const { lines, end } = headLines(text, at);
      const [first = '', ...rest] = lines;
      const line = /^HTTP\/1\.([01]) ([1-9]\d\d)(?: ([\t -~]*))?$/.exec(first);
      if (line === null) throw new Refused('the status line');
      const fields = readFields(rest, () => {});
      const of = (name: string): string[] => fields.filter(([known]) => known === name).map(([, value]) => value);
      const status = Number(line[2]);
      const framing = framingOf(of('transfer-encoding'), of('content-length'));
      if (framing === 'chunked' && line[1] === '0') throw new Refused('chunked in HTTP/1.0');
      if (status < 200 && status !== 101) {
        interim.push(status);
        if (interim.length > 8) throw new Refused('many interim answers');
        at = end;
        continue;
      }
      const bodyless = method === 'HEAD' || status === 204 || status === 304 || status < 200;
      const close = line[1] === '0' || /(^|[,\s])close($|[,\s])/i.test(of('connection').join(','));
      const connection = of('connection').join(',').toLowerCase();
      const kept = fields
        .filter(([name]) => !HOP.test(name) && !connection.split(/[\s,]+/).includes(name))
        .map(([name, value]) => `${name}: ${value}`);
      const content = bodyless
        ? { body: '', trailers: [], end }
        : framing === 'chunked'
          ? readChunked(text, end)
          : framing === 'length'
            ? readCounted(text, end, Number(of('content-length')[0]))
            : untilClose(text, end, ended);
      return { status, lines: kept, interim, close: close || (!bodyless && framing === 'none'), ...content };
    }
  } catch (thrown) {
    if (thrown instanceof Partial) return null;
    throw thrown;
  }
}

function untilClose(text: string, at: number, ended: boolean): Content {
  if (!ended) throw new Partial('the end of the connection');
  return { body: text.slice(at), trailers: [], end: text.length };
}

export function isRefusal(thrown: unknown): boolean {
  return thrown instanceof Refused;
}
