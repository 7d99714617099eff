import type { AppPort, ServiceSpec, WorkloadSpec } from '../model/app.js';
import type { MeshConfig, ReadyEndpoint } from '../model/mesh-config.js';
import { clusterName, hostNames, PORTS, TRUST_DOMAIN, virtualIp } from '../model/names.js';
import type { Route } from '../model/route.js';
import type {
  InboundConfig,
  OutboundConfig,
  OutboundListener,
  SidecarConfig,
  VirtualHost,
} from '../model/sidecar-config.js';
import { workloadId } from '../model/spiffe-id.js';
import { clustersOf } from './clusters.js';
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
  const clusters = mesh.app.services.flatMap((service) =>
    service.ports.flatMap((port) => clustersOf(mesh, service, port, ready)),
  );
  const outbound: OutboundConfig = {
    listeners: listenersOf(mesh),
    virtualHosts: mesh.app.services.flatMap((service) => virtualHostsOf(mesh, service)),
    clusters,
    unknownHosts: 'allow-any',
  };
  const configs = new Map<string, SidecarConfig>();
  for (const workload of mesh.app.workloads)
    configs.set(workload.name, sidecarConfig(mesh, workload, outbound, version));
  configs.set(GATEWAY, gatewayConfig(mesh, outbound, version));
  return configs;
}

function listenersOf(mesh: MeshConfig): OutboundListener[] {
  return mesh.app.services.flatMap((service, index) =>
    service.ports.map(({ port, protocol }) => ({ service: service.name, virtualIp: virtualIp(index), port, protocol })),
  );
}

function virtualHostsOf(mesh: MeshConfig, service: ServiceSpec): VirtualHost[] {
  return service.ports
    .filter(({ protocol }) => protocol === 'http')
    .map((port) => ({
      name: service.name,
      port: port.port,
      domains: hostNames(service.name),
      routes: [defaultRoute(mesh, service.name, port)],
    }));
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
    },
    responseFields: null,
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
    exchangesPerSecond: EXCHANGES_PER_SECOND,
  };
}

function inboundOf(mesh: MeshConfig, workload: WorkloadSpec): InboundConfig {
  return {
    mtls: mesh.mtls,
    ports: workload.ports,
    faults: mesh.faults.filter((fault) => fault.to === workload.app || fault.to === workload.name),
    callers: callersOf(mesh),
  };
}

function callersOf(mesh: MeshConfig): InboundConfig['callers'] {
  const callers: Record<string, { app: string; workloads: string[] }> = {
    [workloadId(GATEWAY)]: { app: GATEWAY, workloads: [GATEWAY] },
  };
  for (const { name, app, serviceAccount } of mesh.app.workloads) {
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
    inbound: { mtls: 'strict', ports: [], faults: [], callers: {} },
    outbound: { ...outbound, virtualHosts: [edge] },
    exchangesPerSecond: EXCHANGES_PER_SECOND,
  };
}
