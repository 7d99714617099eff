import { selects, type WorkloadSpec } from '../model/app.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { type PeerAuthenticationPolicy, ROOT_NAMESPACE } from '../model/policies.js';
import type { InboundConfig, MtlsMode } from '../model/sidecar-config.js';

type Modes = Required<Pick<InboundConfig, 'mtls' | 'portMtls'>>;
/** Whoever is called, as policies choose it. */
type Called = Pick<WorkloadSpec, 'namespace' | 'labels'>;

/**
 * What a workload asks of its callers: port before workload before namespace before mesh, the oldest of several, and what
 * is left unset is inherited (istio `ComposePeerAuthentication`). A policy with a selector counts in its own namespace only.
 */
export function mtlsOf(mesh: MeshConfig, workload: Called): Modes {
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

const known = new WeakMap<MeshConfig, WeakMap<Called, Modes>>();

/**
 * Whether callers that go by themselves speak mutual TLS to a workload's own port: not where it takes plaintext only (Istio's
 * automatic mTLS, pilot/pkg/xds/endpoints/mtls_checker.go).
 */
export function takesMtls(mesh: MeshConfig, workload: Called, port: number): boolean {
  // Then no cluster asks for it, whoever answers.
  if (mesh.mtls === 'disable') return true;
  const all = known.get(mesh) ?? new WeakMap<Called, Modes>();
  known.set(mesh, all);
  const modes = all.get(workload) ?? mtlsOf(mesh, workload);
  all.set(workload, modes);
  return (modes.portMtls[port] ?? modes.mtls) !== 'disable';
}
