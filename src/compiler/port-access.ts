import type { AppPort } from '../model/app.js';
import type { AccessCondition, AccessRule } from '../model/authorization.js';
import { type MeshConfig, namingOf } from '../model/mesh-config.js';
import type { PortAccess, PortRule } from '../model/policies.js';
import type { InboundConfig } from '../model/sidecar-config.js';
import { workloadId } from '../model/spiffe-id.js';

const SCHEME = 'spiffe://'.length;

/** The rules of each port, of the one policy that holds there: what is about the port before what is about the rest. */
export function portRules(policies: readonly PortAccess[], ports: readonly AppPort[], mesh: MeshConfig): AccessRule[] {
  return ports.flatMap(({ port }) =>
    (holdingOn(port, policies)?.rules ?? []).map(({ caller, ...rule }) => ({
      ...rule,
      from: caller === undefined ? rule.from : [[calledBy(caller, mesh)]],
      when: [onPort(port), ...rule.when],
    })),
  );
}

/** What becomes of requests that a port let in, of the same policies; nothing = absent. */
export function portRoutes(policies: readonly PortAccess[], ports: readonly AppPort[]): Pick<InboundConfig, 'routes'> {
  const routes = ports.flatMap(({ port }) => {
    const found = holdingOn(port, policies)?.routes ?? [];
    return found.length === 0 ? [] : [[port, found] as const];
  });
  return routes.length === 0 ? {} : { routes: Object.fromEntries(routes) };
}

/** The policy that holds on a port, of those that are about its workload. */
export function holdingOn(port: number, policies: readonly PortAccess[]): PortAccess | undefined {
  return policies
    .filter((policy) => policy.port === null || policy.port === port)
    .toSorted((a, b) => b.precedence - a.precedence || a.created - b.created)[0];
}

function onPort(port: number): AccessCondition {
  return {
    subject: { kind: 'port' },
    values: [{ kind: 'exact', value: String(port) }],
    not: false,
    text: `port: ${port}`,
  };
}

/** A service as the identities that its workloads prove; one that nobody belongs to is met by nobody. */
function calledBy({ service, namespace }: NonNullable<PortRule['caller']>, mesh: MeshConfig): AccessCondition {
  const callers = mesh.app.workloads.filter(
    (one) =>
      one.meshed &&
      (service === '*' || one.app === service || one.name === service) &&
      (namespace === '*' || one.namespace === namespace),
  );
  const ids = new Set(callers.map((caller) => workloadId(caller, namingOf(mesh))));
  return {
    subject: { kind: 'principal' },
    values: [...ids].map((id) => ({ kind: 'exact', value: id.slice(SCHEME) })),
    not: false,
    text: `service: ${service}${namespace === '*' ? '' : ` in ${namespace}`}`,
  };
}
