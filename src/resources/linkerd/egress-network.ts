import { type EgressPolicy, ROOT_NAMESPACE } from '../../model/policies.js';
import { oneOf, type Read, tableWith, unsupported } from '../../yaml/readers.js';
import { ofKind, type Resource } from '../resource.js';

/** What becomes of calls that leave the mesh (policy.linkerd.io EgressNetwork). */
export const egressNetwork = tableWith(['trafficPolicy'], {
  trafficPolicy: oneOf(['Allow', 'Deny']),
  networks: unsupported('it is about every host that the mesh does not know'),
});
export type EgressNetwork = Read<typeof egressNetwork>;

/** EgressNetworks of this namespace are for callers of all namespaces that have none of their own. */
const GLOBAL = 'linkerd-egress';

export function egressNetworksOf(resources: readonly Resource[]): EgressPolicy[] {
  return ofKind<EgressNetwork>(resources, 'linkerd', 'EgressNetwork').map((network) => ({
    object: network.namespace === GLOBAL ? { ...network, namespace: ROOT_NAMESPACE } : network,
    callers: null,
    created: network.created,
    hosts: null,
    unknownHosts: network.spec.trafficPolicy === 'Deny' ? 'denied' : 'allow-any',
  }));
}
