import type { Claims } from '../../matching/access-subject.js';
import type { TokenFailure } from '../../model/token-failure.js';

/** A token taken apart, and not believed yet (RFC 7519, as far as Envoy asks). */
export interface Token {
  readonly algorithm: string;
  /** '' = it names none. */
  readonly keyId: string;
  readonly claims: Claims;
  /** The payload as it stands in the token. */
  readonly payload: string;
  /** Header and payload as they were signed. */
  readonly signed: string;
  readonly signature: Buffer;
}

/** Algorithms that a token may name; those without a public key are never met by a key. */
const ALGORITHMS = /^(?:[EHRP]S(?:256|384|512)|EdDSA)$/;

/** Takes a token apart, or says why it is none, in Envoy's order. */
export function parseToken(text: string): Token | TokenFailure {
  const parts = text.split('.');
  const [head = '', payload = '', end = ''] = parts;
  if (parts.length !== 3 || head === '' || payload === '' || end === '') return 'token_malformed';
  const headText = decoded(head);
  if (headText === null) return 'token_header_encoding';
  const header = object(headText);
  if (header === null) return 'token_header_json';
  const { alg, kid = '' } = header;
  if (typeof alg !== 'string') return 'token_algorithm_missing';
  if (!ALGORITHMS.test(alg)) return 'token_algorithm_unknown';
  if (typeof kid !== 'string') return 'token_key_id';
  const payloadText = decoded(payload);
  if (payloadText === null) return 'token_payload_encoding';
  const claims = object(payloadText);
  if (claims === null) return 'token_payload_json';
  if (!isWellTyped(claims)) return 'token_claim_type';
  const signature = decoded(end);
  if (signature === null) return 'token_signature_encoding';
  return { algorithm: alg, keyId: kid, claims: spread(claims), payload, signed: `${head}.${payload}`, signature };
}

/** Base64url, padded or not; null = it is none. */
function decoded(text: string): Buffer | null {
  const bare = text.replace(/={1,2}$/, '');
  return /^[A-Za-z0-9_-]+$/.test(bare) && bare.length % 4 !== 1 ? Buffer.from(bare, 'base64url') : null;
}

function object(json: Buffer): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(json.toString('utf8'));
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : null;
  } catch {
    return null;
  }
}

/** The claims that are looked at here are what they must be, and names hold nothing that could be taken for two. */
function isWellTyped({ iss, sub, aud, exp, nbf, iat }: Record<string, unknown>): boolean {
  const names = [iss, sub].every((name) => name === undefined || (typeof name === 'string' && !name.includes('\n')));
  const times = [exp, nbf, iat].every((time) => time === undefined || (typeof time === 'number' && time >= 0));
  const audience = aud === undefined || typeof aud === 'string' || (Array.isArray(aud) && aud.every(isText));
  return names && times && audience;
}

function isText(value: unknown): boolean {
  return typeof value === 'string';
}

/** Claims whose text is a list of words (OAuth 2.0's). */
const LISTS = ['scope', 'permission'];

function spread(claims: Record<string, unknown>): Claims {
  const lists = LISTS.flatMap((name) => {
    const value = Object.hasOwn(claims, name) ? claims[name] : undefined;
    return typeof value === 'string' ? [[name, value.split(' ')] as const] : [];
  });
  return lists.length === 0 ? claims : { ...claims, ...Object.fromEntries(lists) };
}
