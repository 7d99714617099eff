import { generateKeyPairSync, sign } from 'node:crypto';

/** Somebody who signs tokens. */
export interface Issuer {
  /** A JSON Web Key set with the one key. */
  readonly jwks: string;
  /** A token with these claims beside `iss` and `exp`, good for so many seconds. */
  token(claims?: object, seconds?: number): string;
}

export function issuerOf(iss: string): Issuer {
  const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const encoded = (part: object): string => Buffer.from(JSON.stringify(part)).toString('base64url');
  return {
    jwks: JSON.stringify({ keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'one', alg: 'ES256' }] }),
    token(claims = {}, seconds = 3600) {
      const exp = Math.floor(Date.now() / 1000) + seconds;
      const signed = `${encoded({ alg: 'ES256', kid: 'one' })}.${encoded({ iss, exp, ...claims })}`;
      const options = { key: keys.privateKey, dsaEncoding: 'ieee-p1363' } as const;
      return `${signed}.${sign('sha256', Buffer.from(signed), options).toString('base64url')}`;
    },
  };
}
