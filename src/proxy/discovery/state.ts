import { CLUSTER_DEFAULTS, type Cluster, ENDPOINT_DEFAULTS, type Endpoint, tlsTo } from '../../model/cluster.js';
import type { OutboundListener, SidecarConfig, VirtualHost } from '../../model/sidecar-config.js';
import { ClusterLoad, type ClusterState, EndpointState, type Picker, type RetryGate } from '../pipeline/cluster.js';
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

/** What features make of their part of a configuration. */
export interface Makers {
  /** Throws when a route cannot be obeyed. */
  readonly host: (host: VirtualHost) => HostAtWork;
  readonly picker: (config: Cluster, endpoints: readonly EndpointState[], load: ClusterLoad) => Picker;
  readonly retries: (config: Cluster, load: ClusterLoad) => RetryGate;
  /** Monotonic ms. */
  readonly now: () => number;
}

/**
 * Builds the state of a new configuration completely, before anything is swapped. Endpoints that stay are carried over
 * with what is in flight. Throws with a reason when the configuration cannot be obeyed: that is the NACK, and the old
 * state goes on.
 */
export function buildState(config: SidecarConfig, previous: SidecarState | null, makers: Makers): SidecarState {
  const hosts = hostsOf(config, makers);
  checkClusters(config.outbound.clusters);
  const clusters = new Map<string, ClusterState>();
  for (const cluster of config.outbound.clusters)
    clusters.set(cluster.name, clusterState(cluster, previous?.clusters.get(cluster.name), makers));
  const { listeners } = config.outbound;
  return {
    config,
    hosts,
    clusters,
    listeners: new Map(listeners.map((listener) => [`${listener.virtualIp}:${listener.port}`, listener])),
    httpPorts: new Set(listeners.filter(({ protocol }) => protocol === 'http').map(({ port }) => port)),
  };
}

function hostsOf(config: SidecarConfig, makers: Makers): Map<number, HostTable> {
  const hosts = new Map<number, HostTable>();
  for (const virtualHost of config.outbound.virtualHosts) {
    const onPort = hosts.get(virtualHost.port) ?? new HostTable();
    hosts.set(virtualHost.port, onPort);
    const host = hostAtWork(virtualHost, makers);
    for (const domain of virtualHost.domains) onPort.add(domain, host);
  }
  return hosts;
}

const atWork = new WeakMap<VirtualHost, HostAtWork>();

/** One that did not change is the same object, and was made ready before. */
function hostAtWork(virtualHost: VirtualHost, makers: Makers): HostAtWork {
  let host = atWork.get(virtualHost);
  if (host === undefined) {
    host = makers.host(virtualHost);
    atWork.set(virtualHost, host);
  }
  return host;
}

/** Everything that may be wrong with a cluster is found before one of them is touched. */
function checkClusters(clusters: readonly Cluster[]): void {
  const names = new Set<string>();
  for (const { name, endpoints, balancing } of clusters) {
    if (names.has(name)) throw new Error(`the cluster ${name} stands twice`);
    names.add(name);
    for (const { weight } of endpoints)
      if (!(weight > 0)) throw new Error(`the cluster ${name} has an endpoint without weight`);
    const { algorithm } = balancing;
    if (algorithm.kind === 'maglev' && !isPrime(algorithm.tableSize))
      throw new Error(`the cluster ${name}: a Maglev table of ${algorithm.tableSize}, which is no prime up to 5000011`);
    if (algorithm.kind === 'ring-hash' && !(algorithm.minimumRingSize <= algorithm.maximumRingSize))
      throw new Error(`the cluster ${name}: a ring of at least ${algorithm.minimumRingSize} points and at most fewer`);
  }
}

function isPrime(n: number): boolean {
  if (!Number.isInteger(n) || n < 2 || n > 5_000_011) return false;
  for (let divisor = 2; divisor * divisor <= n; divisor++) if (n % divisor === 0) return false;
  return true;
}

/**
 * A cluster at work. One whose settings are others than before is another cluster, as in Envoy: its connections, counts
 * and records are new; where only endpoints came and went, what stays goes on.
 */
function clusterState(config: Cluster, before: ClusterState | undefined, makers: Makers): ClusterState {
  if (before?.config === config) return before;
  const settings = settingsOf(config);
  const previous = before !== undefined && settingsOf(before.config) === settings ? before : undefined;
  const known = new Map(previous?.endpoints.map((endpoint) => [endpoint.key, endpoint]));
  const endpoints = config.endpoints.map((endpoint) => {
    const key = endpointKey(endpoint, config, settings);
    const state = known.get(key);
    if (state === undefined) return new EndpointState(endpoint, key, makers.now());
    state.config = endpoint;
    return state;
  });
  const load = previous?.load ?? new ClusterLoad();
  return {
    config,
    endpoints,
    load,
    picker: makers.picker(config, endpoints, load),
    // What was earned of a budget stays earned.
    retries: previous === undefined ? makers.retries(config, load) : previous.retries,
  };
}

const settings = new WeakMap<Cluster, string>();

/** All that is said of a cluster but its endpoints, as one text. */
function settingsOf(cluster: Cluster): string {
  let text = settings.get(cluster);
  if (text === undefined) {
    text = JSON.stringify({ ...cluster, endpoints: [] });
    settings.set(cluster, text);
  }
  return text;
}

/** Which pooled connections serve an endpoint: its cluster's, to the same address, with the same expectation of who answers. */
function endpointKey(endpoint: Endpoint, cluster: Cluster, ofCluster: string): string {
  return `${endpoint.address}:${endpoint.port} ${tlsTo(cluster, endpoint) === null ? 'plain' : 'mtls'} ${ofCluster}`;
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
    ...CLUSTER_DEFAULTS,
    name,
    service: workload,
    subset: '',
    port,
    protocol: 'http',
    endpoints: [{ ...ENDPOINT_DEFAULTS, address, port, workload, version: '' }],
  };
  const endpoint = new EndpointState(config.endpoints[0] as Endpoint, `${name} ${address}:${port} plain`, 0);
  return {
    config,
    endpoints: [endpoint],
    load: new ClusterLoad(),
    picker: { pick: () => endpoint, availabilityChanged: () => {} },
    retries: NO_RETRIES,
  };
}

/** A cluster without endpoints of its own, as one to the address that a caller wanted: all that is said of it holds (Envoy's ORIGINAL_DST). */
export function originalDestination(cluster: ClusterState, address: string, port: number): ClusterState {
  const { config } = cluster;
  const to = { ...ENDPOINT_DEFAULTS, address, port, workload: config.service, version: '', tls: config.tls !== null };
  const endpoint = new EndpointState(to, endpointKey(to, config, settingsOf(config)), 0);
  return { ...cluster, endpoints: [endpoint], picker: { pick: () => endpoint, availabilityChanged: () => {} } };
}

const NO_RETRIES: RetryGate = { began: () => {}, admit: () => false, ended: () => {} };
