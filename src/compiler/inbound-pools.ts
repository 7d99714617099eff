import type { ServiceSpec, WorkloadSpec } from '../model/app.js';
import type { PoolSettings } from '../model/cluster.js';
import type { MeshConfig } from '../model/mesh-config.js';
import type { DestinationPolicy } from '../model/policies.js';
import type { InboundConfig } from '../model/sidecar-config.js';
import { targetOf } from '../model/target-port.js';
import { callerOf } from './caller.js';
import { rulesFor, settingsOn } from './destinations.js';
import { aboutHost, membersOf } from './lookup.js';
import { servicesOf } from './services.js';

/**
 * What holds for the connections between a sidecar and its own app: Istio has a DestinationRule's connection pool hold there
 * as well, so that all callers together stay below it. Subsets say nothing there, and of several services of one port the
 * first speaks (pilot/pkg/networking/core, the builder of inbound clusters).
 */
export function inboundPools(mesh: MeshConfig): (workload: WorkloadSpec) => Pick<InboundConfig, 'pools'> {
  const rules = mesh.policies.destinations.filter(isPooled);
  if (rules.length === 0) return () => ({});
  const services = servicesOf(mesh).filter(({ host }) => aboutHost(host, rules, (rule) => [rule.host]).length > 0);
  const served = new Map<WorkloadSpec, ServiceSpec[]>();
  for (const service of services)
    for (const workload of membersOf(service, mesh.app.workloads))
      served.set(workload, [...(served.get(workload) ?? []), service]);
  return (workload) => {
    const pools: Record<number, PoolSettings> = {};
    for (const service of served.get(workload) ?? [])
      for (const port of service.ports) {
        const own = targetOf(port, workload);
        const pool = poolOf(mesh, service, port.port, workload);
        if (own !== null && pool !== null) pools[own] ??= pool;
      }
    return Object.keys(pools).length === 0 ? {} : { pools };
  };
}

/** The limits of other dialects are each caller's own. */
function isPooled({ object, traffic }: DestinationPolicy): boolean {
  return (
    object.kind === 'DestinationRule' &&
    traffic !== null &&
    [traffic, ...traffic.ports.map(({ settings }) => settings)].some(({ pool }) => pool !== null)
  );
}

/** The rule in force is the one that the workload itself would obey as a caller. */
function poolOf(mesh: MeshConfig, service: ServiceSpec, port: number, workload: WorkloadSpec): PoolSettings | null {
  const rules = rulesFor(service.host, service.namespace, callerOf(workload), mesh.policies.destinations);
  return rules !== null && isPooled(rules.policy) ? settingsOn(rules, null, port).pool : null;
}
