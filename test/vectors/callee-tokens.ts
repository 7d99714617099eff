import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';

/** The key of a case's tokens, and one that nobody knows. */
const KEYS = {
  case: generateKeyPairSync('rsa', { modulusLength: 2048 }),
  other: generateKeyPairSync('rsa', { modulusLength: 2048 }),
};

/** What stands for `__JWKS__` in a policy. */
export const JWKS = JSON.stringify({
  keys: [{ ...KEYS.case.publicKey.export({ format: 'jwk' }), kid: 'k1', alg: 'RS256', use: 'sig' }],
});

export interface TokenWish {
  readonly claims: Readonly<Record<string, unknown>> | string;
  readonly key: 'case' | 'other';
  readonly header: Readonly<Record<string, unknown>>;
}

/** A signed token; a text is one already. Times are seconds from now, null in the header takes an entry away. */
export function tokenOf({ claims, key, header }: TokenWish): string {
  if (typeof claims === 'string') return claims;
  const now = Math.floor(Date.now() / 1000);
  const times = Object.fromEntries(
    ['exp', 'nbf', 'iat'].flatMap((name) => (typeof claims[name] === 'number' ? [[name, now + claims[name]]] : [])),
  );
  const head = { alg: 'RS256', typ: 'JWT', kid: 'k1', ...header };
  const kept = Object.fromEntries(Object.entries(head).filter(([, value]) => value !== null));
  const signed = `${encoded(kept)}.${encoded({ ...claims, ...times })}`;
  return `${signed}.${signatureOf(signed, KEYS[key].privateKey)}`;
}

function encoded(value: unknown): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url');
}

function signatureOf(text: string, key: KeyObject): string {
  return sign('sha256', Buffer.from(text), key).toString('base64url');
}
