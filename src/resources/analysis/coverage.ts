import { ROOT_NAMESPACE } from '../../model/policies.js';
import type { AuthorizationPolicySpec } from '../istio/authorization-policy.js';
import type { Deployment } from '../kubernetes/deployment.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/**
 * Deployments that no AuthorizationPolicy is about (Kiali's UncoveredWorkloadChecker). Where there is none at all nobody
 * authorizes anything, and nothing was forgotten.
 */
export function analyzeCoverage({ resources }: World, tell: Tell): void {
  const policies = ofKind<AuthorizationPolicySpec>(resources, 'istio', 'AuthorizationPolicy');
  if (policies.length === 0) return;
  for (const deployment of ofKind<Deployment>(resources, 'kubernetes', 'Deployment'))
    if (!policies.some((policy) => covers(policy, deployment)))
      tell(
        'KIA1301',
        'warning',
        deployment,
        null,
        `no AuthorizationPolicy is about ${deployment.name}: whoever reaches it may call it`,
        { hint: `an AuthorizationPolicy in ${deployment.namespace} without a selector, spec: {}` },
      );
}

function covers({ namespace, spec }: Resource<AuthorizationPolicySpec>, deployment: Resource<Deployment>): boolean {
  if (namespace !== ROOT_NAMESPACE && namespace !== deployment.namespace) return false;
  const labels = deployment.spec.template?.metadata?.labels ?? {};
  return Object.entries(spec.selector?.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
}
