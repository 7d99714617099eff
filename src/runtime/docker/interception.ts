import { PORTS, UIDS } from '../../model/names.js';

/** Ports of the sidecar itself, which nobody is redirected away from. */
const OWN_PORTS = [PORTS.admin, PORTS.metrics, PORTS.readiness, PORTS.prometheus, PORTS.inbound, PORTS.outbound].join(
  ',',
);

/** What counts as the pod itself, per IP version; for the sidecar only the one address that Istio excepts. */
const LOOPBACK = {
  iptables: { all: '127.0.0.0/8', one: '127.0.0.1/32' },
  ip6tables: { all: '::1/128', one: '::1/128' },
} as const;

/**
 * The script of the init container: Istio's rules in chains of our own. Nothing is flushed that is not ours, since
 * Docker's DNS lives in the same table. Each family is written in one transaction, so that there is no moment without
 * rules, and running the script twice leaves the same ones. IPv6 is switched off in the pod; where the engine could not
 * do that it gets the same rules, and since sidecars speak IPv4 only, such connections are refused rather than let past.
 */
export function interceptionScript(): string {
  return `set -e
${familyScript('iptables')}
v6=/proc/sys/net/ipv6/conf/all/disable_ipv6
off=1
# The kernel ends this file before its newline when it is read byte by byte: what was read counts all the same.
[ -e $v6 ] && { read -r off < $v6 || true; }
if [ "$off" != 1 ]; then
${familyScript('ip6tables')}
fi
`;
}

function familyScript(program: keyof typeof LOOPBACK): string {
  const rules = rulesOf(LOOPBACK[program]).map((rule) => `'${rule}'`);
  return `printf '%s\\n' ${rules.join(' ')} | ${program}-restore -w 10 --noflush
${jump(program, 'OUTPUT', 'MESH_OUTPUT')}
${jump(program, 'PREROUTING', 'MESH_INBOUND')}`;
}

/** Naming a chain empties it, which is what makes a second run harmless. */
function rulesOf(loopback: { readonly all: string; readonly one: string }): string[] {
  return [
    '*nat',
    ...['MESH_REDIRECT', 'MESH_IN_REDIRECT', 'MESH_OUTPUT', 'MESH_INBOUND'].map((chain) => `:${chain} - [0:0]`),
    `-A MESH_REDIRECT -p tcp -j REDIRECT --to-ports ${PORTS.outbound}`,
    `-A MESH_IN_REDIRECT -p tcp -j REDIRECT --to-ports ${PORTS.inbound}`,
    // The sidecar calling its own pod by the pod's address: as if the call had come from outside.
    `-A MESH_OUTPUT -o lo ! -d ${loopback.one} -p tcp -m owner --uid-owner ${UIDS.proxy} -j MESH_IN_REDIRECT`,
    // The app calling its own pod: not the mesh's affair, as in Istio.
    `-A MESH_OUTPUT -o lo -m owner ! --uid-owner ${UIDS.proxy} -j RETURN`,
    `-A MESH_OUTPUT -m owner --uid-owner ${UIDS.proxy} -j RETURN`,
    `-A MESH_OUTPUT -d ${loopback.all} -j RETURN`,
    '-A MESH_OUTPUT -p tcp -j MESH_REDIRECT',
    `-A MESH_INBOUND -p tcp -m multiport --dports ${OWN_PORTS} -j RETURN`,
    '-A MESH_INBOUND -p tcp -j MESH_IN_REDIRECT',
    'COMMIT',
  ];
}

function jump(program: string, from: string, to: string): string {
  const rule = `${from} -p tcp -j ${to}`;
  return `${program} -w 10 -t nat -C ${rule} 2>/dev/null || ${program} -w 10 -t nat -A ${rule}`;
}
