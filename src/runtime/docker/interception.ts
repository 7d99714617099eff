import { PORTS, UIDS } from '../../model/names.js';

/** Ports of the sidecar itself, which nobody is redirected away from. */
const OWN_PORTS = [PORTS.admin, PORTS.metrics, PORTS.readiness, PORTS.prometheus, PORTS.inbound, PORTS.outbound].join(
  ',',
);

/**
 * The script of the init container: Istio's rules in chains of our own. Nothing is flushed that is not ours, since
 * Docker's DNS lives in the same table. Running it twice leaves the same rules. IPv6 is switched off in the pod.
 */
export function interceptionScript(): string {
  return `set -e
ipt() { iptables -w 10 -t nat "$@"; }
for chain in MESH_REDIRECT MESH_IN_REDIRECT MESH_OUTPUT MESH_INBOUND; do
  ipt -N $chain 2>/dev/null || ipt -F $chain
done
ipt -A MESH_REDIRECT -p tcp -j REDIRECT --to-ports ${PORTS.outbound}
ipt -A MESH_IN_REDIRECT -p tcp -j REDIRECT --to-ports ${PORTS.inbound}
ipt -A MESH_OUTPUT -o lo ! -d 127.0.0.1/32 -m owner --uid-owner ${UIDS.proxy} -j MESH_IN_REDIRECT
ipt -A MESH_OUTPUT -m owner --uid-owner ${UIDS.proxy} -j RETURN
ipt -A MESH_OUTPUT -d 127.0.0.0/8 -j RETURN
ipt -A MESH_OUTPUT -j MESH_REDIRECT
ipt -A MESH_INBOUND -p tcp -m multiport --dports ${OWN_PORTS} -j RETURN
ipt -A MESH_INBOUND -p tcp -j MESH_IN_REDIRECT
ipt -C OUTPUT -p tcp -j MESH_OUTPUT 2>/dev/null || ipt -A OUTPUT -p tcp -j MESH_OUTPUT
ipt -C PREROUTING -p tcp -j MESH_INBOUND 2>/dev/null || ipt -A PREROUTING -p tcp -j MESH_INBOUND
`;
}
