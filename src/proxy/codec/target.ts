import type { Slashes } from '../../model/limits.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { HEX_DIGIT } from './bytes.js';

/**
 * One canonical path: what is matched, authorised and forwarded is the same string. Unreserved escapes are decoded,
 * `%2F` and `%5C` count as slashes, dot segments are resolved, doubled slashes merged (the order that Istio documents);
 * a path that leaves the root, a broken escape or `%00` is refused. The query stays as it is. With `slashes` `keep`,
 * escaped and doubled slashes stay as they were written (Istio's default, which is not enough before an authorization).
 */
export function canonicalTarget(target: string, slashes: Slashes = 'merge'): string {
  if (!needsWork(target)) return target;
  const query = target.indexOf('?');
  const path = query < 0 ? target : target.slice(0, query);
  const rest = query < 0 ? '' : target.slice(query);
  const resolved = resolveDots(decodePath(path, slashes), slashes);
  return (slashes === 'merge' ? resolved.replace(/\/{2,}/g, '/') : resolved) + rest;
}

/** True when the path part holds `%`, `//`, `/.` or `;` before a slash; the common path has none of them. */
function needsWork(target: string): boolean {
  let previous = 0;
  for (let i = 0; i < target.length; i++) {
    const c = target.charCodeAt(i);
    if (c === 63) return false;
    if (c === 37) return true;
    if (previous === 47 && (c === 47 || c === 46)) return true;
    previous = c;
  }
  return false;
}

const UNRESERVED = /[A-Za-z0-9._~-]/;

function decodePath(path: string, slashes: Slashes): string {
  let out = '';
  for (let i = 0; i < path.length; i++) {
    const character = path[i] as string;
    if (character !== '%') {
      out += character;
      continue;
    }
    const high = HEX_DIGIT[path.charCodeAt(i + 1)] ?? 255;
    const low = HEX_DIGIT[path.charCodeAt(i + 2)] ?? 255;
    if (high === 255 || low === 255) throw new ProxyError('path_normalization_failed', 'a broken escape');
    out += decodedByte(high * 16 + low, path.slice(i, i + 3), slashes);
    i += 2;
  }
  return out;
}

function decodedByte(code: number, original: string, slashes: Slashes): string {
  if (code === 0) throw new ProxyError('path_normalization_failed', 'an escaped NUL');
  if (code === 0x2f || code === 0x5c) return slashes === 'merge' ? '/' : original;
  const character = String.fromCharCode(code);
  return UNRESERVED.test(character) ? character : original.toUpperCase();
}

const DOTS_WITH_PARAMETERS = /^\.{1,2};/;

/** RFC 3986 §5.2.4, where an empty segment is one. */
function resolveDots(path: string, slashes: Slashes): string {
  const out: string[] = [];
  const segments = path.split('/');
  const last = segments.length - 1;
  for (let i = 1; i <= last; i++) {
    const segment = segments[i] as string;
    if (segment === '..' && out.pop() === undefined) {
      throw new ProxyError('path_normalization_failed', 'the path leaves the root');
    }
    // Servers that take `;…` for parameters would climb here, and others would not.
    if (slashes === 'merge' && DOTS_WITH_PARAMETERS.test(segment))
      throw new ProxyError('path_normalization_failed', 'a dot segment with parameters');
    if (segment !== '.' && segment !== '..') out.push(segment);
    else if (i === last) out.push('');
  }
  return `/${out.join('/')}`;
}

const HOST = /^(?:[a-z0-9](?:[a-z0-9_.-]*[a-z0-9])?\.?|\[[0-9a-f:.]+\])(?::([0-9]{1,5}))?$/;

/**
 * An authority in canonical form: lower-case, without final dot. Refuses empty, listed (`a,b`), `user@host`, port 0 or
 * beyond 65535, and any byte that a host may not hold.
 */
export function canonicalHost(host: string): string {
  const known = canonicalHosts.get(host);
  if (known !== undefined) return known;
  const lower = host.toLowerCase();
  const match = HOST.exec(lower);
  const port = match?.[1];
  if (!match || (port !== undefined && !validPort(port))) throw new ProxyError('missing_host', 'not a host name');
  const name = port === undefined ? lower : lower.slice(0, -port.length - 1);
  const bare = name.endsWith('.') ? name.slice(0, -1) : name;
  const canonical = port === undefined ? bare : `${bare}:${Number(port)}`;
  if (canonicalHosts.size < 256) canonicalHosts.set(host, canonical);
  return canonical;
}

/** Hosts seen before: a sidecar meets the same dozen again and again. Bounded, so that nobody can fill it. */
const canonicalHosts = new Map<string, string>();

function validPort(text: string): boolean {
  const port = Number(text);
  return port > 0 && port < 65536;
}

/** The host of `host[:port]`, without the port; keeps the brackets of IPv6. */
export function hostName(authority: string): string {
  const colon = authority.lastIndexOf(':');
  return colon < 0 || authority.endsWith(']') ? authority : authority.slice(0, colon);
}
