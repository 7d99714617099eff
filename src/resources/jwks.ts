import { createPublicKey, type JsonWebKey } from 'node:crypto';
import type { JsonWebKeyText } from '../model/authorization.js';

/** The keys of a JWK set that are keys; null = it is no set. */
export function keysOf(jwks: string | undefined): JsonWebKeyText[] | null {
  if (jwks === undefined) return [];
  const set = parsed(jwks);
  const keys = typeof set === 'object' && set !== null && 'keys' in set ? set.keys : null;
  if (!Array.isArray(keys)) return null;
  return keys.filter(isPublicKey).map((key) => ({
    ...(typeof key.kid === 'string' ? { kid: key.kid } : {}),
    ...(typeof key.alg === 'string' ? { alg: key.alg } : {}),
    jwk: JSON.stringify(key),
  }));
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return null;
  }
}

function isPublicKey(key: unknown): key is JsonWebKey & { kid?: unknown; alg?: unknown } {
  if (typeof key !== 'object' || key === null) return false;
  try {
    createPublicKey({ key: key as JsonWebKey, format: 'jwk' });
    return true;
  } catch {
    return false;
  }
}
