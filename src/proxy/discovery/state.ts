import type { Cluster, Endpoint, OutboundListener, SidecarConfig, VirtualHost } from '../../model/sidecar-config.js';
import type { ClusterState } from '../pipeline/call.js';

/** A configuration made ready to be obeyed: look-ups as maps, clusters with what is in flight. Immutable once built. */
export interface SidecarState {
  readonly config: SidecarConfig;
  /** Virtual hosts by port, then by domain; `*` takes what no other name takes. */
  readonly hosts: ReadonlyMap<number, ReadonlyMap<string, VirtualHost>>;
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
export function buildState(config: SidecarConfig, previous: SidecarState | null): SidecarState {
  const clusters = new Map<string, ClusterState>();
  for (const cluster of config.outbound.clusters) {
    if (clusters.has(cluster.name)) throw new Error(`the cluster ${cluster.name} stands twice`);
    clusters.set(cluster.name, clusterState(cluster, previous?.clusters.get(cluster.name)));
  }
  const hosts = hostsOf(config);
  for (const virtualHost of config.outbound.virtualHosts) checkRoutes(virtualHost);
  const { listeners } = config.outbound;
  return {
    config,
    hosts,
    clusters,
    listeners: new Map(listeners.map((listener) => [`${listener.virtualIp}:${listener.port}`, listener])),
    httpPorts: new Set(listeners.filter(({ protocol }) => protocol === 'http').map(({ port }) => port)),
  };
}

function hostsOf(config: SidecarConfig): Map<number, Map<string, VirtualHost>> {
  const hosts = new Map<number, Map<string, VirtualHost>>();
  for (const virtualHost of config.outbound.virtualHosts) {
    const onPort = hosts.get(virtualHost.port) ?? new Map<string, VirtualHost>();
    hosts.set(virtualHost.port, onPort);
    for (const domain of virtualHost.domains) if (!onPort.has(domain)) onPort.set(domain, virtualHost);
  }
  return hosts;
}

/** A cluster that does not exist is not refused: Envoy takes such a route and answers 503 `NC`. */
function checkRoutes(virtualHost: VirtualHost): void {
  for (const route of virtualHost.routes) {
    if (route.clusters.length === 0) throw new Error(`the route ${route.name} has no destination`);
    for (const { weight } of route.clusters) {
      if (!(weight >= 0)) throw new Error(`the route ${route.name} has a weight that is not a number`);
    }
  }
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
