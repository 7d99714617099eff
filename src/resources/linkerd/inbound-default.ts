import type { AccessRule } from '../../model/authorization.js';
import { type ObjectRef, objectName } from '../../model/policies.js';
import type { SourceRef } from '../../model/source.js';
import { IDENTIFIED } from './who.js';
import type { InboundPolicy } from './words.js';

/**
 * What becomes of calls that nothing lets in, by Linkerd's word. Everybody in a sandbox is in the cluster. `audit` lets
 * them in, and `explain` tells that nothing else did.
 */
export function restOf(policy: InboundPolicy, object: ObjectRef, source: SourceRef): AccessRule[] {
  const rule: AccessRule = {
    action: 'allow',
    enforced: true,
    name: `ns[${object.namespace}]-${object.kind}[${object.name}]-${policy}`,
    object: objectName(object),
    rule: 0,
    source,
    from: [],
    to: [],
    when: [],
  };
  const closing: AccessRule = { ...rule, action: 'deny', closing: true };
  switch (policy) {
    case 'deny':
      return [closing];
    case 'audit':
      return [{ ...rule, action: 'audit' }, rule];
    case 'all-unauthenticated':
    case 'cluster-unauthenticated':
      return [rule];
    case 'all-authenticated':
    case 'cluster-authenticated':
      return [{ ...rule, from: [[IDENTIFIED]] }, closing];
  }
}
