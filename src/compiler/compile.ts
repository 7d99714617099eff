import { type ServiceSpec, selects, type WorkloadSpec } from '../model/app.js';
import type { Cluster } from '../model/cluster.js';
import { fits } from '../model/label-filter.js';
import { DEFAULT_SIDECAR_LIMITS } from '../model/limits.js';
import { type MeshConfig, namingOf, type ReadyEndpoint } from '../model/mesh-config.js';
import { type RateLimitPolicy, ROOT_NAMESPACE, type StreamRoutes } from '../model/policies.js';
import type { RateLimit } from '../model/rate-limit.js';
import type { InboundConfig, OutboundConfig, OutboundListener, SidecarConfig } from '../model/sidecar-config.js';
import { accountName, workloadId } from '../model/spiffe-id.js';
import { authorizationFor } from './authorization.js';
import { type Caller, callerOf, GATEWAY, GATEWAY_CALLER, GATEWAY_HOME, GATEWAY_NAMED } from './caller.js';
import { callerKeys } from './caller-keys.js';
import { clustersOf } from './clusters.js';
import { rulesFor } from './destinations.js';
import { edgeHosts } from './gateway.js';
import { inboundPools } from './inbound-pools.js';
import { inboundPorts } from './inbound-ports.js';
import { mtlsOf } from './peer-authentication.js';
import { egressFor, servicesOf, visibleServices } from './services.js';
import { streamsFor } from './streams.js';
import { samplingOf } from './telemetry.js';
import { type Neighbourhood, virtualHostsOf } from './virtual-hosts.js';

/** Full records per second and sidecar; counts stay complete beyond it. */
const EXCHANGES_PER_SECOND = 100;

export { GATEWAY };

/**
 * Compiles the mesh and the endpoints that are ready into one configuration per sidecar. Pure: the same input gives the
 * same output, so a snapshot can be compared with the one before. Callers about whom no policy says anything different
 * share what they are told, as the same object.
 */
export function compile(
  mesh: MeshConfig,
  ready: readonly ReadyEndpoint[],
  version: number,
): Map<string, SidecarConfig> {
  const outbound = outboundFor(mesh, ready);
  const callers = callersOf(mesh);
  const pools = inboundPools(mesh);
  const configs = new Map<string, SidecarConfig>();
  for (const workload of mesh.app.workloads.filter(({ meshed }) => meshed))
    configs.set(
      workload.name,
      sidecarConfig(mesh, workload, {
        outbound: outbound(callerOf(workload)),
        callers,
        pools: pools(workload),
        version,
      }),
    );
  configs.set(GATEWAY, gatewayConfig(mesh, outbound(GATEWAY_CALLER), version));
  return configs;
}

/** What a caller is told of the others, made once for all that are told the same. */
function outboundFor(mesh: MeshConfig, ready: readonly ReadyEndpoint[]): (caller: Caller) => OutboundConfig {
  const keyOf = callerKeys(mesh);
  const made = new Map<string, OutboundConfig>();
  const services = servicesOf(mesh);
  const faults = mesh.faults.filter(({ action }) => action.connection !== null);
  return (caller) => {
    const key = keyOf(caller);
    const known = made.get(key);
    if (known !== undefined) return known;
    // A Sidecar is about sidecars: gateways see all there is (istio DefaultSidecarScopeForGateway).
    const egress = caller === GATEWAY_CALLER ? null : egressFor(caller, mesh.policies.egress, ROOT_NAMESPACE);
    const seer = seenFrom(caller, mesh);
    const used = visibleServices(services, egress, seer).map((service) => ({
      service,
      rules: rulesFor(service.host, service.namespace, seer, mesh.policies.destinations),
    }));
    const around: Neighbourhood = { mesh, caller, used, byHost: new Map(used.map((one) => [one.service.host, one])) };
    const clusters: Cluster[] = used.flatMap((one) =>
      one.service.ports.flatMap((port) => clustersOf(mesh, one, port, ready, caller)),
    );
    const listeners = services.flatMap((service) =>
      listenersOf(service, caller, { all: mesh.policies.streams, services }),
    );
    const outbound: OutboundConfig = {
      listeners,
      virtualHosts: caller === GATEWAY_CALLER ? edgeHosts(around) : virtualHostsOf(around),
      clusters,
      faults,
      propagation: mesh.app.propagation,
      unknownHosts: egress?.unknownHosts ?? 'allow-any',
      ...(caller === GATEWAY_CALLER
        ? { slashes: 'merge' }
        : { slashes: mesh.flavor.slashes, routesBy: mesh.flavor.routesBy }),
    };
    made.set(key, outbound);
    return outbound;
  };
}

/** Istio's gateway sees what is exported to its home; those of the others are a part of the app. */
function seenFrom(caller: Caller, { flavor }: MeshConfig): Caller {
  return caller === GATEWAY_CALLER && flavor.name === 'istio' ? { ...caller, namespace: GATEWAY_HOME } : caller;
}

function listenersOf(
  service: ServiceSpec,
  caller: Caller,
  around: { readonly all: readonly StreamRoutes[]; readonly services: readonly ServiceSpec[] },
): OutboundListener[] {
  const { name, virtualIp: first, otherAddresses = [], ports } = service;
  return ports.flatMap(({ port, protocol }) => {
    const streams = protocol !== 'http' ? streamsFor(service, port, caller, around) : [];
    return [first, ...otherAddresses].map((virtualIp) => ({
      service: name,
      virtualIp,
      port,
      protocol,
      ...(streams.length === 0 ? {} : { streams }),
    }));
  });
}

interface SidecarParts {
  readonly outbound: OutboundConfig;
  readonly callers: InboundConfig['callers'];
  readonly pools: Pick<InboundConfig, 'pools'>;
  readonly version: number;
}

function sidecarConfig(mesh: MeshConfig, workload: WorkloadSpec, parts: SidecarParts): SidecarConfig {
  const { name, app, version } = workload;
  return {
    version: parts.version,
    workload: { name, app, version, spiffeId: workloadId(workload, namingOf(mesh)) },
    trustDomain: mesh.trustDomain,
    seed: mesh.seed,
    role: 'sidecar',
    inbound: { ...inboundOf(mesh, workload, parts.callers), ...parts.pools },
    outbound: parts.outbound,
    limits: { ...DEFAULT_SIDECAR_LIMITS, ...mesh.flavor.limits, ...mesh.app.limits },
    exchangesPerSecond: EXCHANGES_PER_SECOND,
    ...(mesh.flavor.name === 'linkerd' ? { errorField: 'l5d-proxy-error' as const } : {}),
    ...samplingOf(mesh.policies.telemetry, workload),
  };
}

function inboundOf(mesh: MeshConfig, workload: WorkloadSpec, callers: InboundConfig['callers']): InboundConfig {
  return {
    ...mtlsOf(mesh, workload),
    ...authorizationFor(mesh, workload),
    ports: inboundPorts(mesh, workload),
    ...(mesh.flavor.name === 'linkerd' ? { callerField: 'l5d-client-id' as const } : {}),
    ...(mesh.policies.callersHidden ? { hidesCaller: true as const } : {}),
    faults: mesh.faults.filter(
      ({ to, action }) => action.connection === null && (to === workload.app || to === workload.name),
    ),
    rateLimits: [
      ...(mesh.app.settings[workload.app]?.rateLimits ?? []),
      ...mesh.policies.rateLimits
        .filter((policy) => isLimited(policy, workload))
        .map((policy) => limitOf(policy, mesh)),
    ],
    callers,
  };
}

function limitOf({ limit, target }: RateLimitPolicy, mesh: MeshConfig): RateLimit {
  const overrides = Object.fromEntries(
    Object.entries(limit.overrides).flatMap(([caller, own]) =>
      identitiesOf(caller, mesh).map((id) => [id, own] as const),
    ),
  );
  return { ...limit, overrides, ...(target.kind === 'labels' && target.port !== null ? { port: target.port } : {}) };
}

/** What whoever has an account proves; a caller that is named otherwise stays as it is. */
function identitiesOf(caller: string, mesh: MeshConfig): string[] {
  const ids = [...mesh.app.workloads.filter(({ meshed }) => meshed), GATEWAY_NAMED]
    .filter(({ serviceAccount, namespace }) => accountName(serviceAccount, namespace) === caller)
    .map((named) => workloadId(named, namingOf(mesh)));
  return ids.length === 0 ? [caller] : ids;
}

function isLimited({ object, target }: RateLimitPolicy, { name, app, namespace, labels }: WorkloadSpec): boolean {
  if (target.kind === 'name') return target.name === name || target.name === app;
  const { filter } = target;
  const chosen = selects(target.labels, labels) && (filter === undefined || fits(filter, labels));
  return object.namespace === namespace && chosen;
}

function callersOf(mesh: MeshConfig): InboundConfig['callers'] {
  const gateway = { ...GATEWAY_NAMED, name: GATEWAY, meshed: true };
  const callers: Record<string, { app: string; workloads: string[]; accounts?: string[] }> = {};
  for (const one of [gateway, ...mesh.app.workloads]) {
    if (!one.meshed) continue;
    const id = workloadId(one, namingOf(mesh));
    const entry = callers[id] ?? { app: one.app, workloads: [] };
    entry.workloads.push(one.name);
    const account = accountName(one.serviceAccount, one.namespace);
    if (id !== `spiffe://${account}`) entry.accounts = [...new Set([...(entry.accounts ?? []), account])];
    callers[id] = entry;
  }
  return callers;
}

function gatewayConfig(mesh: MeshConfig, outbound: OutboundConfig, version: number): SidecarConfig {
  return {
    version,
    workload: { name: GATEWAY, app: GATEWAY, version: 'v1', spiffeId: workloadId(GATEWAY_NAMED, namingOf(mesh)) },
    trustDomain: mesh.trustDomain,
    seed: mesh.seed,
    role: 'gateway',
    inbound: {
      mtls: 'strict',
      ...authorizationFor(mesh, { namespace: GATEWAY_HOME, labels: GATEWAY_CALLER.labels, ports: [] }),
      ports: [],
      faults: [],
      rateLimits: [],
      callers: {},
    },
    outbound,
    limits: { ...DEFAULT_SIDECAR_LIMITS, ...mesh.flavor.limits, ...mesh.app.limits },
    exchangesPerSecond: EXCHANGES_PER_SECOND,
    ...(mesh.flavor.name === 'linkerd' ? { errorField: 'l5d-proxy-error' as const } : {}),
    ...samplingOf(mesh.policies.telemetry, { namespace: GATEWAY_HOME, labels: GATEWAY_CALLER.labels }),
  };
}
