import type { ServicePort, ServiceSpec, WorkloadSpec } from '../model/app.js';
import { type Cluster, ENDPOINT_DEFAULTS, type Endpoint } from '../model/cluster.js';
import { type MeshConfig, namingOf, type ReadyEndpoint } from '../model/mesh-config.js';
import { clusterName } from '../model/names.js';
import { belongs, type DestinationPolicy, destinationOf, type SubsetPolicy } from '../model/policies.js';
import { workloadId } from '../model/spiffe-id.js';
import { targetOf } from '../model/target-port.js';
import type { Caller } from './caller.js';
import { type DestinationRules, securityOf, settingsOn, trafficOf } from './destinations.js';
import { NEAREST, type Placed, placement } from './locality.js';
import { membersOf, readyOf } from './lookup.js';
import { takesMtls } from './peer-authentication.js';
import { servicesOf } from './services.js';

/** A service as one caller uses it. */
export interface UsedService {
  readonly service: ServiceSpec;
  readonly rules: DestinationRules | null;
}

/** Clusters of one service and port: all of its workloads, and one for each subset. */
export function clustersOf(
  mesh: MeshConfig,
  { service, rules }: UsedService,
  port: ServicePort,
  ready: readonly ReadyEndpoint[],
  caller: Caller,
): Cluster[] {
  const workloads = membersOf(service, mesh.app.workloads);
  return [null, ...subsetsOf(mesh, service, rules, workloads)].map((subset) => {
    const members = workloads.filter(({ labels }) => subset === null || belongs(subset, labels));
    return clusterOf(mesh, { service, rules }, port, { subset, members, ready, caller });
  });
}

/** What a rule names, and each version where routes of `x-mesh` go by them. */
function subsetsOf(
  { app }: MeshConfig,
  service: ServiceSpec,
  rules: DestinationRules | null,
  workloads: readonly WorkloadSpec[],
): SubsetPolicy[] {
  const named = rules?.subsets ?? [];
  const asked = Object.values(app.settings)
    .flatMap(({ routes }) => routes)
    .flatMap(({ route: { action } }) => (action.kind === 'forward' ? [...action.clusters, ...action.mirrors] : []))
    .some(({ cluster }) => cluster.startsWith(`${service.name}/`));
  if (!asked) return [...named];
  return [...named, ...versionsOf(workloads).filter(({ name }) => !named.some((subset) => subset.name === name))];
}

function versionsOf(workloads: readonly WorkloadSpec[]): SubsetPolicy[] {
  const source = { file: '', line: 0, column: 0 };
  return [...new Set(workloads.map(({ version }) => version))].map((version) => ({
    name: version,
    labels: { version },
    traffic: null,
    source,
  }));
}

interface Members {
  readonly subset: SubsetPolicy | null;
  readonly members: readonly WorkloadSpec[];
  readonly ready: readonly ReadyEndpoint[];
  readonly caller: Caller;
}

function clusterOf(
  mesh: MeshConfig,
  { service, rules }: UsedService,
  port: ServicePort,
  { subset, members, ready, caller }: Members,
): Cluster {
  const meshed = members.filter((member) => member.meshed);
  const outside = outsideOf(mesh, service, port, subset);
  const spiffeIds = [
    ...meshed.map((member) => workloadId(member, namingOf(mesh))),
    ...accountsOf(mesh, service, subset),
  ];
  const settings = settingsOn(rules, subset, port.port);
  const traffic = { ...trafficOf(settings, mesh.flavor.traffic), ...mesh.app.settings[service.name]?.traffic };
  const placed = [
    ...members.flatMap((member) =>
      endpointsOf(mesh, member, port, ready).map((endpoint) => ({ endpoint, labels: member.labels })),
    ),
    ...outside,
  ];
  // Weights between places that x-mesh gives speak for themselves.
  const own = traffic.balancing.localityWeights;
  const nearest = service.prefersNear === undefined ? undefined : NEAREST[service.prefersNear];
  const places = settings.balancer?.places ?? nearest;
  const near = placement(placed, caller, {
    settings: places,
    // What a service says of itself holds without a breaker, too.
    watched: (traffic.ejection !== null || (places !== undefined && places === nearest)) && own === null,
  });
  const others = failoverOf(rules?.policy, subset, port.port, { mesh, ready });
  const { localityWeights } = near;
  const endpoints = [...near.endpoints, ...others.flatMap((one, i) => behind(near.endpoints, one.endpoints, i))];
  const identities = [...new Set([...spiffeIds, ...others.flatMap((one) => one.spiffeIds)])];
  return {
    ...traffic,
    balancing: {
      ...traffic.balancing,
      ...(localityWeights === null ? {} : { localityWeights }),
      ...(others.length === 0 ? {} : { lastResort: true as const }),
    },
    name: clusterName(service.host, port.port, subset?.name ?? ''),
    service: service.name,
    subset: subset?.name ?? '',
    port: port.port,
    protocol: port.protocol,
    ...securityOf(settings.tls, identities, {
      inMesh: mesh.mtls !== 'disable',
      automatic: service.external !== true && (identities.length > 0 || outside.some(({ endpoint }) => endpoint.tls)),
    }),
    // ISTIO_MUTUAL is spoken to whoever answers, whether or not a sidecar stands there.
    endpoints: settings.tls?.mode === 'mesh' ? endpoints.map((one) => ({ ...one, tls: true })) : endpoints,
    ...(service.passthrough ? { passthrough: true as const } : {}),
    ...(settings.balancer?.hash.some(({ kind }) => kind === 'source-ip') ? { hashesSource: true as const } : {}),
  };
}

interface Standby {
  readonly endpoints: readonly Endpoint[];
  readonly spiffeIds: readonly string[];
}

/** Who is asked when nobody of a cluster is well, in order. */
function failoverOf(
  policy: DestinationPolicy | undefined,
  subset: SubsetPolicy | null,
  port: number,
  { mesh, ready }: { readonly mesh: MeshConfig; readonly ready: readonly ReadyEndpoint[] },
): Standby[] {
  const names = policy?.failover?.[subset?.name ?? ''] ?? policy?.failover?.['*'] ?? [];
  return names.map((name) => {
    const { host, port: wanted, subset: named } = destinationOf(name);
    const service = servicesOf(mesh).find((one) => one.host === host);
    const target = service?.ports.find((one) => one.port === (wanted ?? port)) ?? service?.ports[0];
    if (service === undefined || target === undefined) return { endpoints: [], spiffeIds: [] };
    const meant = mesh.policies.destinations
      .filter((one) => one.host === host)
      .flatMap(({ subsets }) => subsets)
      .find((one) => one.name === named);
    const members = membersOf(service, mesh.app.workloads).filter(
      ({ labels }) => named === '' || (meant !== undefined && belongs(meant, labels)),
    );
    const meshed = members.filter((one) => one.meshed);
    return {
      endpoints: members.flatMap((member) => endpointsOf(mesh, member, target, ready)),
      spiffeIds: meshed.map((member) => workloadId(member, namingOf(mesh))),
    };
  });
}

/** Behind all of the first ones, and behind those that are asked before. */
function behind(first: readonly Endpoint[], endpoints: readonly Endpoint[], index: number): Endpoint[] {
  const last = Math.max(-1, ...first.map(({ priority }) => priority));
  return endpoints.map((endpoint) => ({ ...endpoint, priority: last + 1 + index }));
}

function endpointsOf(
  mesh: MeshConfig,
  member: WorkloadSpec,
  port: ServicePort,
  ready: readonly ReadyEndpoint[],
): Endpoint[] {
  const target = targetOf(port, member);
  if (target === null) return [];
  return readyOf(member.name, ready).flatMap((endpoint) => {
    const dial = endpoint.ports[target];
    if (dial === undefined) return [];
    return [
      {
        ...ENDPOINT_DEFAULTS,
        address: endpoint.address,
        port: dial,
        workload: member.name,
        version: member.version,
        locality: member.locality,
        tls: member.meshed && takesMtls(mesh, member, target),
      },
    ];
  });
}

/** Addresses outside of the mesh: in plaintext, but to those that are said to prove an identity of ours. */
function outsideOf(
  mesh: MeshConfig,
  { name, namespace, outside = [] }: ServiceSpec,
  { port }: ServicePort,
  subset: SubsetPolicy | null,
): Placed[] {
  return outside
    .filter(({ labels, ports }) => ports[port] !== undefined && (subset === null || belongs(subset, labels)))
    .map(({ address, ports, labels, locality, weight, mutual = false }) => {
      const dial = ports[port] as number;
      const endpoint: Endpoint = {
        ...ENDPOINT_DEFAULTS,
        address,
        port: dial,
        workload: name,
        version: labels['version'] ?? '',
        locality,
        weight,
        tls: mutual && takesMtls(mesh, { namespace, labels }, dial),
      };
      return { labels, endpoint };
    });
}

function accountsOf(mesh: MeshConfig, { name, outside = [] }: ServiceSpec, subset: SubsetPolicy | null): string[] {
  return outside
    .filter(({ labels }) => subset === null || belongs(subset, labels))
    .flatMap(({ account }) => (account === undefined ? [] : workloadId({ app: name, ...account }, namingOf(mesh))));
}
