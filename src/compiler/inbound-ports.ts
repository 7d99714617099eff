import { type AppPort, selects, type WorkloadSpec } from '../model/app.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { concerns, inRanges } from '../model/policies.js';
import { asDeclared, withProtocol } from './protocols.js';

/**
 * The ports of a workload as its callers' sidecars know them: what speaks there is what a Service says that stands for it,
 * since Istio goes by the Service's port names; else what its own file says. A port that is opaque is not looked into.
 */
export function inboundPorts(mesh: MeshConfig, workload: WorkloadSpec): readonly AppPort[] {
  const opaque = mesh.policies.opaquePorts.find((policy) => concerns(policy, workload))?.ports ?? [];
  const spoken = asDeclared(workload.app, spokenAt(mesh, workload), mesh.policies.protocols);
  if (opaque.length === 0) return spoken;
  return spoken.map((own) => (inRanges(own.port, opaque) ? { ...own, protocol: 'tcp' } : own));
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
    const named = declared.find(({ targetPort }) => targetPort === own.port);
    if (named === undefined) return own;
    const { protocol } = withProtocol(named, flavor, [{ ...own, targetPort: own.port }]);
    return { ...own, protocol };
  });
}
