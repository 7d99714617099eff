import type { Cluster, Endpoint, OutboundListener, SidecarConfig, VirtualHost } from '../../model/sidecar-config.js';
import type { ClusterState } from '../pipeline/call.js';
import { type HostAtWork, HostTable } from '../pipeline/routes.js';

/** A configuration made ready to be obeyed: look-ups as maps, clusters with what is in flight. Immutable once built. */
export interface SidecarState {
  readonly config: SidecarConfig;
  /** Virtual hosts by port. */
  readonly hosts: ReadonlyMap<number, HostTable>;
  readonly clusters: ReadonlyMap<string, ClusterState>;
  /** Listeners by `virtualIp:port`. */
  readonly listeners: ReadonlyMap<string, OutboundListener>;
  /** Ports on which HTTP is expected, whatever the address. */
  readonly httpPorts: ReadonlySet<number>;
}

/**
 * Builds the state of a new configuration completely, before anything is swapped. Clusters and endpoints that did not
 * change are carried over with their counts. Throws with a reason when the configuration cannot be obeyed: that is the
 * NACK, and the old state goes on.
 */
export function buildState(
  config: SidecarConfig,
  previous: SidecarState | null,
  compileHost: (host: VirtualHost) => HostAtWork,
): SidecarState {
  const clusters = new Map<string, ClusterState>();
  for (const cluster of config.outbound.clusters) {
    if (clusters.has(cluster.name)) throw new Error(`the cluster ${cluster.name} stands twice`);
    clusters.set(cluster.name, clusterState(cluster, previous?.clusters.get(cluster.name)));
  }
  const hosts = hostsOf(config, compileHost);
  const { listeners } = config.outbound;
  return {
    config,
    hosts,
    clusters,
    listeners: new Map(listeners.map((listener) => [`${listener.virtualIp}:${listener.port}`, listener])),
    httpPorts: new Set(listeners.filter(({ protocol }) => protocol === 'http').map(({ port }) => port)),
  };
}

function hostsOf(config: SidecarConfig, compileHost: (host: VirtualHost) => HostAtWork): Map<number, HostTable> {
  const hosts = new Map<number, HostTable>();
  for (const virtualHost of config.outbound.virtualHosts) {
    const onPort = hosts.get(virtualHost.port) ?? new HostTable();
    hosts.set(virtualHost.port, onPort);
    const host = compileHost(virtualHost);
    for (const domain of virtualHost.domains) onPort.add(domain, host);
  }
  return hosts;
}

function clusterState(config: Cluster, previous: ClusterState | undefined): ClusterState {
  const known = new Map(previous?.endpoints.map((endpoint) => [endpoint.key, endpoint]));
  const endpoints = config.endpoints.map((endpoint) => {
    const key = endpointKey(endpoint, config);
    return known.get(key) ?? { config: endpoint, address: `${endpoint.address}:${endpoint.port}`, key, active: 0 };
  });
  return { config, endpoints, turn: previous?.turn ?? 0 };
}

/** Which pooled connections serve an endpoint: same address, same expectation of who answers. */
export function endpointKey(endpoint: Endpoint, cluster: Cluster): string {
  return `${endpoint.address}:${endpoint.port} ${cluster.tls === null ? 'plain' : cluster.tls.spiffeIds.join(',')}`;
}

/** Keys of all endpoints of a state. */
export function endpointKeys(state: SidecarState): Set<string> {
  const keys = new Set<string>();
  for (const cluster of state.clusters.values()) for (const endpoint of cluster.endpoints) keys.add(endpoint.key);
  return keys;
}

/** A cluster with one endpoint that no policy knows: a passthrough destination, or the app behind an inbound sidecar. */
export function plainCluster(name: string, address: string, port: number, workload: string): ClusterState {
  const config: Cluster = {
    name,
    service: workload,
    subset: '',
    port,
    protocol: 'http',
    balancer: 'LEAST_REQUEST',
    connectTimeoutMs: 10_000,
    tls: null,
    endpoints: [{ address, port, workload, version: '' }],
  };
  return clusterState(config, undefined);
}
