import { createPrivateKey, X509Certificate } from 'node:crypto';

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
 * When to renew: at half of what was left when the certificate came, ±10 % of that half (`chance` in [0, 1)). Epoch ms.
 * (Istio and SPIRE renew at half-life; the jitter keeps a room of sidecars from asking at once. Counting from the arrival
 * makes lives shorter than the tolerance for clock skew work too.)
 */
export function renewalTime(identity: Identity, receivedAt: number, chance: number): number {
  return receivedAt + ((identity.notAfter - receivedAt) / 2) * (0.9 + chance * 0.2);
}
