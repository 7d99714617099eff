import type { AuthorityTerms, LeafNames } from '../../src/control-plane/authority/authority.js';
import { TRUST_DOMAIN } from '../../src/model/names.js';
import { workloadId } from '../../src/model/spiffe-id.js';

/** An authority as flavour istio has it. */
export const TERMS: AuthorityTerms = { trustDomain: TRUST_DOMAIN, leafMs: 3_600_000 };

/** SPIFFE ID of an account of the default namespace. */
export function idOf(account: string): string {
  return workloadId(
    { app: account, serviceAccount: account, namespace: 'default' },
    { form: 'istio', trustDomain: TRUST_DOMAIN },
  );
}

export function leafOf(spiffeId: string): LeafNames {
  return { spiffeId, dnsNames: [] };
}
