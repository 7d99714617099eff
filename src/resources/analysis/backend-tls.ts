import { fqdn } from '../../model/names.js';
import { nearest } from '../../model/nearest.js';
import { sourceOf } from '../../yaml/positions.js';
import { type BackendTlsPolicy, type BadTls, badCertificatesOf, targetsOf } from '../gateway-api/backend-tls.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/** What keeps BackendTLSPolicies from having an effect, or callers from getting through. */
export function analyzeBackendTls(world: World, tell: Tell): void {
  if (world.flavor !== 'istio') return;
  for (const policy of ofKind<BackendTlsPolicy>(world.resources, 'gateway-api', 'BackendTLSPolicy')) {
    const certificates = badCertificatesOf(policy, world.resources);
    if (certificates !== null) {
      const { message, source, hint } = certificates;
      tell('MS0148', 'error', policy, source, `${message}, so nobody is trusted: every call fails`, { hint });
    }
    for (const [i, { bad }] of targetsOf(policy, world.resources).entries()) {
      const wrong = bad ?? missing(policy, i, world);
      if (wrong === null) continue;
      const [code, level] = wrong.reason === 'Conflicted' ? ['MS0149', 'warning'] : ['MS0140', 'error'];
      tell(
        code as string,
        level as 'warning' | 'error',
        policy,
        wrong.source,
        `${wrong.message}, so the policy has no effect there`,
        { hint: wrong.hint },
      );
    }
  }
}

function missing({ spec, namespace }: Resource<BackendTlsPolicy>, i: number, world: World): BadTls | null {
  const target = spec.targetRefs[i];
  if (target === undefined || !world.complete || world.serviceOf(fqdn(target.name, namespace)) !== null) return null;
  const close = nearest(
    target.name,
    world.services.map(({ name }) => name),
  );
  return {
    reason: 'TargetNotFound',
    source: sourceOf(target, 'name'),
    message: `the Service ${target.name} is not found in ${namespace}`,
    hint: close === null ? '' : `did you mean ${close}?`,
  };
}
