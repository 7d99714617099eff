import { literally } from '../../model/access-match.js';
import type { AccessMatch } from '../../model/authorization.js';
import { TRUST_DOMAIN } from '../../model/names.js';
import { accountName, LINKERD_TAIL } from '../../model/spiffe-id.js';

/** The end of every identity of the mesh, as Linkerd has it. */
const TAIL = LINKERD_TAIL.split('.');

/**
 * Linkerd's identity `web.shop.serviceaccount.identity.linkerd.cluster.local` as the SPIFFE ID that the sandbox gives the
 * same account, without scheme. `*` is anybody with an identity, and `*.` may stand in place of the first parts. Null = it
 * is nobody's of this mesh.
 */
export function identityMatch(identity: string): AccessMatch | null {
  if (identity === '*') return { kind: 'present', value: '' };
  if (identity.startsWith('spiffe://')) return { kind: 'exact', value: identity.slice('spiffe://'.length) };
  const wild = identity.startsWith('*.');
  const parts = (wild ? identity.slice(2) : identity).split('.');
  if (wild && TAIL.slice(-parts.length).join('.') === parts.join('.') && parts.length <= TAIL.length)
    return { kind: 'prefix', value: `${TRUST_DOMAIN}/` };
  const own = parts.slice(0, -TAIL.length);
  if (own.length === 0 || parts.slice(-TAIL.length).join('.') !== TAIL.join('.')) return null;
  const namespace = own[own.length - 1] as string;
  const account = own.slice(0, -1).join('.');
  if (!wild) return account === '' ? null : accountMatch(account, namespace);
  return account === '' ? namespaceMatch(namespace) : endingMatch(account, namespace);
}

export function accountMatch(account: string, namespace: string): AccessMatch {
  return { kind: 'exact', value: accountName(account, namespace) };
}

/** Every account of a namespace. */
export function namespaceMatch(namespace: string): AccessMatch {
  return { kind: 'prefix', value: `${TRUST_DOMAIN}/ns/${namespace}/sa/` };
}

function endingMatch(account: string, namespace: string): AccessMatch {
  const start = `${TRUST_DOMAIN}/ns/${namespace}/sa/`;
  return { kind: 'regex', value: `${literally(start)}[^/]+\\.${literally(account)}` };
}
