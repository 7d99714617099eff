import type { Slashes } from '../model/limits.js';

/** A path that no server should be asked for; the message says why. */
export class PathError extends Error {}

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
    const high = Number.parseInt(path[i + 1] ?? '', 16);
    const low = Number.parseInt(path[i + 2] ?? '', 16);
    if (Number.isNaN(high) || Number.isNaN(low)) throw new PathError('a broken escape');
    out += decodedByte(high * 16 + low, path.slice(i, i + 3), slashes);
    i += 2;
  }
  return out;
}

function decodedByte(code: number, original: string, slashes: Slashes): string {
  if (code === 0) throw new PathError('an escaped NUL');
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
      throw new PathError('the path leaves the root');
    }
    // Servers that take `;…` for parameters would climb here, and others would not.
    if (slashes === 'merge' && DOTS_WITH_PARAMETERS.test(segment)) throw new PathError('a dot segment with parameters');
    if (segment !== '.' && segment !== '..') out.push(segment);
    else if (i === last) out.push('');
  }
  return `/${out.join('/')}`;
}
