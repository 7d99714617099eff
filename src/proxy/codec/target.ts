import { canonicalTarget, PathError } from '../../matching/canonical-target.js';
import type { Slashes } from '../../model/limits.js';
import { ProxyError } from '../pipeline/proxy-error.js';

/** {@link canonicalTarget} for a request under way. Throws `path_normalization_failed`. */
export function servedTarget(target: string, slashes: Slashes): string {
  try {
    return canonicalTarget(target, slashes);
  } catch (error) {
    if (error instanceof PathError) throw new ProxyError('path_normalization_failed', error.message);
    throw error;
  }
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
