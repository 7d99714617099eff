import type { AppPort, ServiceSpec, WorkloadSpec } from '../model/app.js';
import { CLUSTER_DEFAULTS, type Cluster, ENDPOINT_DEFAULTS, type Endpoint } from '../model/cluster.js';
import type { MeshConfig, ReadyEndpoint } from '../model/mesh-config.js';
import { clusterName } from '../model/names.js';
import { workloadId } from '../model/spiffe-id.js';
import { byDistance } from './locality.js';

/** Clusters of one service and port: all of its workloads, and one subset per version. */
export function clustersOf(
  mesh: MeshConfig,
  service: ServiceSpec,
  port: AppPort,
  ready: readonly ReadyEndpoint[],
  callerLocality: string,
): Cluster[] {
  const workloads = mesh.app.workloads.filter(({ app }) => app === service.name);
  const versions = [...new Set(workloads.map(({ version }) => version))];
  return ['', ...versions].map((subset) => {
    const members = workloads.filter(({ version }) => subset === '' || version === subset);
    return clusterOf(mesh, service, port, { subset, members, ready, callerLocality });
  });
}

interface Members {
  readonly subset: string;
  readonly members: readonly WorkloadSpec[];
  readonly ready: readonly ReadyEndpoint[];
  readonly callerLocality: string;
}

function clusterOf(
  mesh: MeshConfig,
  service: ServiceSpec,
  port: AppPort,
  { subset, members, ready, callerLocality }: Members,
): Cluster {
  const meshed = members.filter((member) => member.meshed);
  const spiffeIds = [...new Set(meshed.map(({ serviceAccount }) => workloadId(serviceAccount)))];
  const traffic = { ...CLUSTER_DEFAULTS, ...mesh.app.settings[service.name]?.traffic };
  const endpoints = members.flatMap((member) => endpointsOf(member, port.port, ready));
  // As in Istio: nothing fails over that is not watched, and weights between places speak for themselves.
  const failsOver = callerLocality !== '' && traffic.ejection !== null && traffic.balancing.localityWeights === null;
  return {
    ...traffic,
    name: clusterName(service.name, port.port, subset),
    service: service.name,
    subset,
    port: port.port,
    protocol: port.protocol,
    tls: mesh.mtls === 'disable' || meshed.length === 0 ? null : { spiffeIds },
    endpoints: failsOver ? byDistance(callerLocality, endpoints) : endpoints,
  };
}

function endpointsOf(member: WorkloadSpec, port: number, ready: readonly ReadyEndpoint[]): Endpoint[] {
  return ready.flatMap((endpoint) => {
    const dial = endpoint.workload === member.name ? endpoint.ports[port] : undefined;
    if (dial === undefined) return [];
    return [
      {
        ...ENDPOINT_DEFAULTS,
        address: endpoint.address,
        port: dial,
        workload: member.name,
        version: member.version,
        locality: member.locality,
        tls: member.meshed,
      },
    ];
  });
}
