import { createPrivateKey, X509Certificate } from 'node:crypto';
import type { IdentityMessage } from '../protocol/control-stream.js';

/** A workload's key, certificate chain and roots (PEM), with what its own certificate says. */
export interface Identity {
  readonly key: string;
  readonly certificate: string;
  readonly trustBundle: string;
  readonly spiffeId: string;
  /** Epoch ms. */
  readonly notBefore: number;
  readonly notAfter: number;
}

/** Puts the authority's answer and our key together; throws when the certificate is not for this key. */
export function identityOf(key: string, certificate: string, trustBundle: string): Identity {
  const leaf = new X509Certificate(certificate);
  if (!leaf.checkPrivateKey(createPrivateKey(key))) throw new Error('the certificate is for another key');
  const spiffeId = /URI:(spiffe:\/\/[A-Za-z0-9./_-]+)/.exec(leaf.subjectAltName ?? '')?.[1] ?? '';
  return {
    key,
    certificate,
    trustBundle,
    spiffeId,
    notBefore: Date.parse(leaf.validFrom),
    notAfter: Date.parse(leaf.validTo),
  };
}

/**
 * When to renew: between two shares of what was left when the certificate came (`chance` in [0, 1)), so that a room of
 * sidecars does not ask at once. Epoch ms. (Counting from the arrival makes lives shorter than the tolerance for clock skew
 * work too.)
 */
export function renewalTime({ identity, receivedAt, renewal }: Received, chance: number): number {
  const share = renewal.earliest + chance * (renewal.latest - renewal.earliest);
  return receivedAt + (identity.notAfter - receivedAt) * share;
}

/** An identity as it came. */
export interface Received {
  readonly identity: Identity;
  /** Epoch ms. */
  readonly receivedAt: number;
  readonly renewal: IdentityMessage['renewal'];
}
