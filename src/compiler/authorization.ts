import type { WorkloadSpec } from '../model/app.js';
import type { AccessRule, Authorization } from '../model/authorization.js';
import type { MeshConfig } from '../model/mesh-config.js';
import { type AuthorizationPolicy, concerns, objectName, type WorkloadScope } from '../model/policies.js';
import type { InboundConfig } from '../model/sidecar-config.js';
import { portRoutes, portRules } from './port-access.js';

/**
 * Who may call a workload, whose tokens it believes and what becomes of calls that it lets in: all that is said of it by its own namespace and by the root
 * namespace, whose selectors choose in every namespace. Nothing said = absent.
 */
export function authorizationFor(
  mesh: MeshConfig,
  workload: Pick<WorkloadSpec, 'namespace' | 'labels' | 'ports'>,
): Pick<InboundConfig, 'authorization' | 'routes' | 'tokens'> {
  const about = <P extends WorkloadScope>(all: readonly P[]): P[] => all.filter((one) => concerns(one, workload));
  const authorization = about(mesh.policies.authorization);
  const tokens = about(mesh.policies.tokens).flatMap(({ rules }) => rules);
  const external = about(mesh.policies.external).map(({ provider, rules }) => ({
    name: provider,
    authorizer: mesh.policies.authorizers.find(({ name }) => name === provider) ?? null,
    rules,
  }));
  const portAccess = about(mesh.policies.portAccess);
  const ofPorts = portRules(portAccess, workload.ports, mesh);
  return {
    ...(authorization.length + ofPorts.length + external.length === 0
      ? {}
      : {
          authorization: {
            ...composed(authorization, ofPorts),
            ...(external.length === 0 ? {} : { external }),
          },
        }),
    ...portRoutes(portAccess, workload.ports),
    ...(tokens.length === 0 ? {} : { tokens }),
  };
}

/** Istio's order: what is noted only, DENY, ALLOW; within an action by the rules' names, as Envoy has them. */
const ORDER: readonly AccessRule['action'][] = ['audit', 'deny', 'allow'];

/** Where a port has rules of its own, only what denies goes before them. */
function composed(policies: readonly AuthorizationPolicy[], ofPorts: readonly AccessRule[]): Authorization {
  const sorted = policies
    .flatMap((policy) => policy.rules)
    .toSorted((a, b) => ORDER.indexOf(a.action) - ORDER.indexOf(b.action) || (a.name < b.name ? -1 : 1));
  const allowing = policies.filter(({ action, enforced }) => action === 'allow' && enforced);
  const allows = (rule: AccessRule): boolean => rule.action === 'allow';
  return {
    rules: [...sorted.filter((rule) => !allows(rule)), ...ofPorts, ...sorted.filter(allows)],
    otherwise:
      allowing.length === 0
        ? { action: 'allow', because: 'no policy that allows is about this workload, so what none denies is let in' }
        : { action: 'deny', because: refusal(allowing) },
  };
}

function refusal(allowing: readonly AuthorizationPolicy[]): string {
  const names = allowing.map(({ object }) => `${objectName(object)} (${object.source.file}:${object.source.line})`);
  return `no rule that allows is met: only what ${names.join(' or ')} allows is let in`;
}
