import { type AppPort, selects, type WorkloadSpec } from '../model/app.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { concerns, inRanges } from '../model/policies.js';
import { targetOf } from '../model/target-port.js';
import { holdingOn } from './port-access.js';
import { asDeclared, withProtocol } from './protocols.js';

/**
 * The ports of a workload as its callers' sidecars know them: what speaks there is what a Service says that stands for it,
 * since Istio goes by the Service's port names; else what its own file says. A port that is opaque is not looked into, unless
 * the policy that holds there says what it speaks (linkerd2 `policy-controller/k8s/index`: a Server's word is the last).
 */
export function inboundPorts(mesh: MeshConfig, workload: WorkloadSpec): readonly AppPort[] {
  const { policies } = mesh;
  const opaque = policies.opaquePorts.find((policy) => concerns(policy, workload))?.ports ?? [];
  const access = policies.portAccess.filter((policy) => concerns(policy, workload));
  const spoken = asDeclared(workload.app, spokenAt(mesh, workload), policies.protocols);
  if (opaque.length + access.length === 0) return spoken;
  return spoken.map((own) => {
    const protocol = holdingOn(own.port, access)?.protocol ?? (inRanges(own.port, opaque) ? 'tcp' : own.protocol);
    return { ...own, protocol };
  });
}

function spokenAt({ policies, flavor }: MeshConfig, workload: WorkloadSpec): readonly AppPort[] {
  const declared = policies.services
    .filter(
      ({ namespace, selector }) =>
        namespace === workload.namespace && selector !== null && selects(selector, workload.labels),
    )
    .flatMap(({ ports }) => ports);
  if (declared.length === 0) return workload.ports;
  return workload.ports.map((own) => {
    const named = declared.find((port) => targetOf(port, workload) === own.port);
    if (named === undefined) return own;
    const { protocol } = withProtocol(named, flavor, [{ ...own, targetPort: own.port }]);
    return { ...own, protocol };
  });
}
