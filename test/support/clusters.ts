import { CLUSTER_DEFAULTS, type Cluster, ENDPOINT_DEFAULTS, type Endpoint } from '../../src/model/cluster.js';
import type { RetryPolicy } from '../../src/model/route.js';
import type { Clock } from '../../src/platform/clock.js';
import type { Random } from '../../src/platform/random.js';
import { makePicker } from '../../src/proxy/balancing/picker.js';
import type { AttemptCall } from '../../src/proxy/pipeline/call.js';
import { ClusterLoad, type ClusterState, EndpointState } from '../../src/proxy/pipeline/cluster.js';

/** A cluster at work whose endpoints have these names, without a sidecar around it. */
export function clusterAtWork(
  names: readonly string[],
  policy: Partial<Cluster>,
  { clock, random }: { readonly clock: Clock; readonly random: Random },
  details: (name: string) => Partial<Endpoint> = () => ({}),
): ClusterState {
  const endpoints = names.map((name, i) => {
    const config = {
      ...ENDPOINT_DEFAULTS,
      address: `10.0.0.${i + 1}`,
      port: 80,
      workload: name,
      version: 'v1',
      ...details(name),
    };
    return new EndpointState(config, name, clock.monotonic());
  });
  const config: Cluster = {
    ...CLUSTER_DEFAULTS,
    name: 'reviews',
    service: 'reviews',
    subset: '',
    port: 80,
    protocol: 'http',
    endpoints: endpoints.map((endpoint) => endpoint.config),
    ...policy,
  };
  const load = new ClusterLoad();
  return {
    config,
    endpoints,
    load,
    picker: makePicker(config, endpoints, load, { clock, random }),
    retries: { began: () => {}, admit: () => true, ended: () => {} },
  };
}

/** The first try of a request. */
export function attemptAt(
  cluster: ClusterState,
  requestId: string,
  more: { hash?: bigint | null; retry?: RetryPolicy | null } = {},
): AttemptCall {
  const { hash = null, retry = null } = more;
  const call = { record: { requestId, attempts: [], destination: '' }, replyChanges: [] };
  return {
    routed: { cluster, call, hash, route: { hash: [], retry } },
    number: 1,
    started: 0,
    endpoint: null,
  } as unknown as AttemptCall;
}

export function endpointNamed(cluster: ClusterState, name: string): EndpointState {
  const found = cluster.endpoints.find(({ config }) => config.workload === name);
  if (found === undefined) throw new Error(`no endpoint ${name}`);
  return found;
}

/** Which endpoint each of so many requests is sent to, counted. */
export function shares(
  cluster: ClusterState,
  requests: number,
  attempt = (n: number) => attemptAt(cluster, `request ${n}`),
): Record<string, number> {
  const count: Record<string, number> = {};
  for (let n = 0; n < requests; n++) {
    const name = cluster.picker.pick(attempt(n), 0)?.config.workload ?? 'nobody';
    count[name] = (count[name] ?? 0) + 1;
  }
  return count;
}
