import { parameterOf } from '../../matching/query.js';
import type { HashPolicy } from '../../model/route.js';
import type { Call } from '../pipeline/call.js';
import { rotate, xxHash64 } from './xxhash64.js';

/**
 * What consistent hashing chooses by, combined from the route's policies in order (Envoy, `RouteAction.HashPolicy`); null
 * when the request has nothing of it. A cookie with a time to live that is missing is made, and goes down with the answer.
 */
export function hashOf(policies: readonly HashPolicy[], call: Call): bigint | null {
  let hash: bigint | null = null;
  for (const policy of policies) {
    const found = hashBy(policy, call);
    if (found !== null) hash = (hash === null ? 0n : rotate(hash, 1n)) ^ found;
    if (policy.terminal && hash !== null) break;
  }
  return hash;
}

/** What connections of an address are hashed to. */
export function hashOfAddress(address: string): bigint {
  return xxHash64(address);
}

function hashBy(policy: HashPolicy, call: Call): bigint | null {
  switch (policy.kind) {
    case 'header':
      return ofHeader(policy.name, call);
    case 'query':
      return ofText(parameterOf(call.head.target, policy.name));
    case 'source-ip':
      return ofText(sourceOf(call));
    case 'cookie':
      return ofText(cookieOf(policy, call));
  }
}

function ofText(text: string | null): bigint | null {
  return text === null ? null : xxHash64(text);
}

/** Several lines of one name count whatever their order. */
function ofHeader(name: string, { head }: Call): bigint | null {
  const values = name === 'host' || name === ':authority' ? [head.host] : head.fields.all(name);
  if (values.length === 0) return null;
  let hash = 0n;
  for (const value of [...values].sort()) hash = xxHash64(value, hash);
  return hash;
}

/** The last address of `x-forwarded-for`, as Istio's sidecars believe it; else the peer's. */
function sourceOf({ head, peer }: Call): string {
  const forwarded = head.fields.get('x-forwarded-for');
  return forwarded === undefined ? peer.remoteAddress : (forwarded.split(',').at(-1) ?? '').trim();
}

function cookieOf(policy: Extract<HashPolicy, { kind: 'cookie' }>, call: Call): string | null {
  const found = cookieValue(call.head.fields.get('cookie') ?? '', policy.name);
  if (found !== null && found !== '') return found;
  if (policy.ttlSeconds === null) return null;
  const value = xxHash64(`${call.record.requestId}${sourceOf(call)}`)
    .toString(16)
    .padStart(16, '0');
  const lifetime = policy.ttlSeconds === 0 ? '' : `; Max-Age=${policy.ttlSeconds}`;
  const path = policy.path === '' ? '' : `; Path=${policy.path}`;
  const attributes = policy.attributes.map(({ name, value: text }) => `; ${name}${text === '' ? '' : `=${text}`}`);
  const line = `${policy.name}="${value}"${lifetime}${path}${attributes.join('')}; HttpOnly`;
  call.replyChanges = [...call.replyChanges, { remove: [], set: [], add: [['set-cookie', line]] }];
  return value;
}

/** The first cookie of a name, without its quotes. */
function cookieValue(cookies: string, name: string): string | null {
  for (const pair of cookies.split(';')) {
    const equals = pair.indexOf('=');
    if (equals < 0 || pair.slice(0, equals).trim() !== name) continue;
    const value = pair.slice(equals + 1).trim();
    return value.length >= 2 && value.startsWith('"') && value.endsWith('"') ? value.slice(1, -1) : value;
  }
  return null;
}
