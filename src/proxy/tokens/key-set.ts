import { constants, createPublicKey, type KeyObject, type VerifyKeyObjectInput, verify } from 'node:crypto';
import type { JsonWebKeyText } from '../../model/authorization.js';
import type { TokenFailure } from '../../model/token-failure.js';
import type { Token } from './token.js';

/** The keys of an issuer, made ready. */
export interface KeySet {
  /** Null = one of the keys has signed it. */
  verify(token: Token): TokenFailure | null;
}

interface Key {
  readonly kid: string;
  readonly alg: string;
  readonly key: KeyObject;
}

/** Throws when one of them is no public key. */
export function keySetOf(texts: readonly JsonWebKeyText[]): KeySet {
  const keys = texts.map(
    ({ kid = '', alg = '', jwk }): Key => ({
      kid,
      alg,
      key: createPublicKey({ key: JSON.parse(jwk) as never, format: 'jwk' }),
    }),
  );
  return {
    verify(token) {
      const fitting = keys.filter(
        ({ kid, alg }) =>
          (kid === '' || token.keyId === '' || kid === token.keyId) && (alg === '' || alg === token.algorithm),
      );
      if (fitting.length === 0) return 'token_key_unknown';
      return fitting.some(({ key }) => isSigned(token, key)) ? null : 'token_unverified';
    },
  };
}

/** By the first letters of an algorithm: the kind of key that it goes with, and what else verifying needs (RFC 7518, 3.1). */
const KINDS: Readonly<Record<string, readonly [type: string, options: Partial<VerifyKeyObjectInput>] | undefined>> = {
  RS: ['rsa', { padding: constants.RSA_PKCS1_PADDING }],
  PS: ['rsa', { padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: constants.RSA_PSS_SALTLEN_DIGEST }],
  ES: ['ec', { dsaEncoding: 'ieee-p1363' }],
  Ed: ['ed25519', {}],
};
const CURVES: Readonly<Record<string, string | undefined>> = {
  ES256: 'prime256v1',
  ES384: 'secp384r1',
  ES512: 'secp521r1',
};

/** The algorithm must go with the key: a public key is never taken for a shared secret. */
function isSigned({ algorithm, signed, signature }: Token, key: KeyObject): boolean {
  const kind = KINDS[algorithm.slice(0, 2)];
  if (kind === undefined || key.asymmetricKeyType !== kind[0]) return false;
  if (kind[0] === 'ec' && key.asymmetricKeyDetails?.namedCurve !== CURVES[algorithm]) return false;
  const hash = kind[0] === 'ed25519' ? null : `sha${algorithm.slice(2)}`;
  return verify(hash, Buffer.from(signed), { key, ...kind[1] }, signature);
}
