import { selects, type WorkloadSpec } from '../model/app.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { type PeerAuthenticationPolicy, ROOT_NAMESPACE } from '../model/policies.js';
import type { InboundConfig, MtlsMode } from '../model/sidecar-config.js';

/**
 * What a workload asks of its callers: port before workload before namespace before mesh, the oldest of several, and what
 * is left unset is inherited (istio `ComposePeerAuthentication`). A policy with a selector counts in its own namespace only.
 */
export function mtlsOf(mesh: MeshConfig, workload: WorkloadSpec): Pick<InboundConfig, 'mtls' | 'portMtls'> {
  // What is switched off for the whole sandbox stays off: features come one by one.
  if (mesh.mtls === 'disable') return { mtls: 'disable', portMtls: {} };
  const inForce = mesh.policies.peerAuthentication.toSorted((a, b) => a.created - b.created);
  const first = (namespace: string, selecting: boolean): PeerAuthenticationPolicy | undefined =>
    inForce.find(
      ({ object, selector, everywhere }) =>
        (object.namespace === namespace || everywhere === true) &&
        (selecting ? selector !== null && selects(selector, workload.labels) : selector === null),
    );
  const own = first(workload.namespace, true);
  const wider = [own, first(workload.namespace, false), first(ROOT_NAMESPACE, false)];
  const mtls = wider.map((policy) => policy?.mode ?? null).find((mode) => mode !== null) ?? mesh.mtls;
  const portMtls: Record<number, MtlsMode> = {};
  for (const [port, mode] of Object.entries(own?.ports ?? {})) portMtls[Number(port)] = mode ?? mtls;
  return { mtls, portMtls };
}
