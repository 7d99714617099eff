import { type AppPort, NO_SETTINGS, type ServiceSpec, type WorkloadSpec } from '../model/app.js';
import type { Cluster } from '../model/cluster.js';
import { DEFAULT_SIDECAR_LIMITS } from '../model/limits.js';
import type { MeshConfig, ReadyEndpoint } from '../model/mesh-config.js';
import { clusterName, hostNames, PORTS, TRUST_DOMAIN, virtualIp } from '../model/names.js';
import type { RetryPolicy, Route } from '../model/route.js';
import type {
  InboundConfig,
  OutboundConfig,
  OutboundListener,
  SidecarConfig,
  VirtualHost,
} from '../model/sidecar-config.js';
import { workloadId } from '../model/spiffe-id.js';
import { clustersOf } from './clusters.js';
import { bySpecificity } from './precedence.js';
import { retryPolicy } from './retry-policy.js';

/** Full records per second and sidecar; counts stay complete beyond it. */
const EXCHANGES_PER_SECOND = 100;

/** Name of the gateway among the workloads. */
export const GATEWAY = 'gateway';

/**
 * Compiles the mesh and the endpoints that are ready into one configuration per sidecar. Pure: the same input gives the
 * same output, so a snapshot can be compared with the one before.
 */
export function compile(
  mesh: MeshConfig,
  ready: readonly ReadyEndpoint[],
  version: number,
): Map<string, SidecarConfig> {
  const listeners = listenersOf(mesh);
  const faults = mesh.faults.filter(({ action }) => action.connection !== null);
  const clusters = cached((locality: string) => clustersFor(mesh, ready, locality));
  const virtualHosts = cached((caller: string) => virtualHostsFor(mesh, caller));
  const asked = new Set(Object.values(mesh.app.settings).flatMap(({ routes }) => routes.flatMap(({ from }) => from)));
  const outboundOf = (name: string, app: string, locality: string): OutboundConfig => ({
    listeners,
    // Callers whom no route names are all the same.
    virtualHosts: virtualHosts(asked.has(name) || asked.has(app) ? `${name}/${app}` : '/'),
    clusters: clusters(locality),
    faults,
    propagation: mesh.app.propagation,
    unknownHosts: 'allow-any',
  });
  const configs = new Map<string, SidecarConfig>();
  for (const workload of mesh.app.workloads.filter(({ meshed }) => meshed)) {
    const outbound = outboundOf(workload.name, workload.app, workload.locality);
    configs.set(workload.name, sidecarConfig(mesh, workload, outbound, version));
  }
  configs.set(GATEWAY, gatewayConfig(mesh, outboundOf(GATEWAY, GATEWAY, ''), version));
  return configs;
}

/** The same for the same: most sidecars share what they are told. */
function cached<T>(make: (key: string) => T): (key: string) => T {
  const made = new Map<string, T>();
  return (key) => {
    const known = made.get(key) ?? make(key);
    made.set(key, known);
    return known;
  };
}

function clustersFor(mesh: MeshConfig, ready: readonly ReadyEndpoint[], callerLocality: string): Cluster[] {
  return mesh.app.services.flatMap((service) =>
    service.ports.flatMap((port) => clustersOf(mesh, service, port, ready, callerLocality)),
  );
}

/** `caller` is `workload/service`. */
function virtualHostsFor(mesh: MeshConfig, caller: string): VirtualHost[] {
  return mesh.app.services.flatMap((service) => virtualHostsOf(mesh, service, caller.split('/')));
}

function listenersOf(mesh: MeshConfig): OutboundListener[] {
  return mesh.app.services.flatMap((service, index) =>
    service.ports.map(({ port, protocol }) => ({ service: service.name, virtualIp: virtualIp(index), port, protocol })),
  );
}

function virtualHostsOf(mesh: MeshConfig, service: ServiceSpec, caller: readonly string[]): VirtualHost[] {
  return service.ports
    .filter(({ protocol }) => protocol === 'http')
    .map((port) => ({
      name: service.name,
      port: port.port,
      domains: hostNames(service.name),
      routes: routesOf(mesh, service.name, port.port, caller),
    }));
}

/** The service's own routes, or the one that every service has. */
function routesOf(mesh: MeshConfig, service: string, port: number, caller: readonly string[]): Route[] {
  const settings = mesh.app.settings[service] ?? NO_SETTINGS;
  if (settings.routes.length === 0) return [defaultRoute(mesh, service, { port })];
  const meant = settings.routes.filter(({ from }) => from.length === 0 || from.some((name) => caller.includes(name)));
  const ordered = settings.precedence === 'first' ? meant : bySpecificity(meant);
  return ordered.map(({ route, retries }) => {
    const retry = mesh.retries ? retryPolicy(service, retries ?? settings.retries) : null;
    return { ...route, action: resolved(mesh, route.action, retry, port) };
  });
}

/** Names of services and versions as names of clusters; one that does not exist stays, and is answered 503 (`NC`). */
function resolved(mesh: MeshConfig, action: Route['action'], retry: RetryPolicy | null, port: number): Route['action'] {
  if (action.kind !== 'forward') return action;
  const nameOf = (destination: string): string => {
    const [service = '', version = ''] = destination.split('/');
    const ports = mesh.app.services.find(({ name }) => name === service)?.ports ?? [];
    const known = ports.some((declared) => declared.port === port) ? port : ports[0]?.port;
    return known === undefined ? destination : clusterName(service, known, version);
  };
  return {
    ...action,
    retry,
    clusters: action.clusters.map((entry) => ({ ...entry, cluster: nameOf(entry.cluster) })),
    mirrors: action.mirrors.map((entry) => ({ ...entry, cluster: nameOf(entry.cluster) })),
  };
}

/** Every version of the service, with the service's timeout and retries: what a mesh does without any policy. */
function defaultRoute(mesh: MeshConfig, service: string, { port }: Pick<AppPort, 'port'>): Route {
  const settings = mesh.app.settings[service];
  return {
    name: 'default',
    match: { path: { kind: 'prefix', value: '/', ignoreCase: false }, methods: [], fields: [], query: [] },
    action: {
      kind: 'forward',
      clusters: [{ cluster: clusterName(service, port, ''), weight: 100, requestFields: null, responseFields: null }],
      rewrite: null,
      requestFields: null,
      cors: null,
      timeoutMs: settings?.timeoutMs ?? null,
      retry: mesh.retries ? retryPolicy(service, settings?.retries ?? null) : null,
      hash: [],
      mirrors: [],
    },
    responseFields: null,
    fault: null,
  };
}

function sidecarConfig(
  mesh: MeshConfig,
  workload: WorkloadSpec,
  outbound: OutboundConfig,
  version: number,
): SidecarConfig {
  return {
    version,
    workload: {
      name: workload.name,
      app: workload.app,
      version: workload.version,
      spiffeId: workloadId(workload.serviceAccount),
    },
    trustDomain: TRUST_DOMAIN,
    seed: mesh.seed,
    role: 'sidecar',
    inbound: inboundOf(mesh, workload),
    outbound,
    limits: { ...DEFAULT_SIDECAR_LIMITS, ...mesh.app.limits },
    exchangesPerSecond: EXCHANGES_PER_SECOND,
  };
}

function inboundOf(mesh: MeshConfig, workload: WorkloadSpec): InboundConfig {
  return {
    mtls: mesh.mtls,
    ports: workload.ports,
    faults: mesh.faults.filter(
      ({ to, action }) => action.connection === null && (to === workload.app || to === workload.name),
    ),
    rateLimits: mesh.app.settings[workload.app]?.rateLimits ?? [],
    callers: callersOf(mesh),
  };
}

function callersOf(mesh: MeshConfig): InboundConfig['callers'] {
  const callers: Record<string, { app: string; workloads: string[] }> = {
    [workloadId(GATEWAY)]: { app: GATEWAY, workloads: [GATEWAY] },
  };
  for (const { name, app, serviceAccount, meshed } of mesh.app.workloads) {
    if (!meshed) continue;
    const id = workloadId(serviceAccount);
    const entry = callers[id] ?? { app, workloads: [] };
    entry.workloads.push(name);
    callers[id] = entry;
  }
  return callers;
}

/** The gateway sends whatever arrives to the service that the app names, like a VirtualService with one rule. */
function gatewayConfig(mesh: MeshConfig, outbound: OutboundConfig, version: number): SidecarConfig {
  const { service, port } = mesh.app.gateway;
  const edge: VirtualHost = {
    name: service,
    port: PORTS.gateway,
    domains: ['*'],
    routes: [{ ...defaultRoute(mesh, service, { port }), name: 'gateway' }],
  };
  return {
    version,
    workload: { name: GATEWAY, app: GATEWAY, version: 'v1', spiffeId: workloadId(GATEWAY) },
    trustDomain: TRUST_DOMAIN,
    seed: mesh.seed,
    role: 'gateway',
    inbound: { mtls: 'strict', ports: [], faults: [], rateLimits: [], callers: {} },
    outbound: { ...outbound, virtualHosts: [edge] },
    limits: { ...DEFAULT_SIDECAR_LIMITS, ...mesh.app.limits },
    exchangesPerSecond: EXCHANGES_PER_SECOND,
  };
}
