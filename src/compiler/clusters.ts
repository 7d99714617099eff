import type { AppPort, ServiceSpec, WorkloadSpec } from '../model/app.js';
import type { MeshConfig, ReadyEndpoint } from '../model/mesh-config.js';
import { clusterName } from '../model/names.js';
import type { Cluster, Endpoint } from '../model/sidecar-config.js';
import { workloadId } from '../model/spiffe-id.js';

/** Istio's mesh-wide connect timeout, ms. */
const CONNECT_TIMEOUT_MS = 10_000;

/** Clusters of one service and port: all of its workloads, and one subset per version. */
export function clustersOf(
  mesh: MeshConfig,
  service: ServiceSpec,
  port: AppPort,
  ready: readonly ReadyEndpoint[],
): Cluster[] {
  const workloads = mesh.app.workloads.filter(({ app }) => app === service.name);
  const versions = [...new Set(workloads.map(({ version }) => version))];
  return ['', ...versions].map((subset) => {
    const members = workloads.filter(({ version }) => subset === '' || version === subset);
    return clusterOf(mesh, service, port, { subset, members, ready });
  });
}

interface Members {
  readonly subset: string;
  readonly members: readonly WorkloadSpec[];
  readonly ready: readonly ReadyEndpoint[];
}

function clusterOf(
  mesh: MeshConfig,
  service: ServiceSpec,
  port: AppPort,
  { subset, members, ready }: Members,
): Cluster {
  const spiffeIds = [...new Set(members.map(({ serviceAccount }) => workloadId(serviceAccount)))];
  return {
    name: clusterName(service.name, port.port, subset),
    service: service.name,
    subset,
    port: port.port,
    protocol: port.protocol,
    balancer: mesh.app.settings[service.name]?.balancer ?? 'LEAST_REQUEST',
    connectTimeoutMs: CONNECT_TIMEOUT_MS,
    tls: mesh.mtls === 'disable' ? null : { spiffeIds },
    endpoints: members.flatMap((member) => endpointsOf(member, port.port, ready)),
  };
}

function endpointsOf(member: WorkloadSpec, port: number, ready: readonly ReadyEndpoint[]): Endpoint[] {
  return ready.flatMap((endpoint) => {
    const dial = endpoint.workload === member.name ? endpoint.ports[port] : undefined;
    if (dial === undefined) return [];
    return [{ address: endpoint.address, port: dial, workload: member.name, version: member.version }];
  });
}
