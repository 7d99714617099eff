import { sourceOf } from '../../yaml/positions.js';
import type { Gateway } from '../istio/others.js';
import type { RequestAuthenticationSpec } from '../istio/request-authentication.js';
import type { VirtualService } from '../istio/virtual-service.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

const CLAIM = '@request.auth.claims';

/**
 * Routes by the claims of tokens at a gateway where nobody verifies tokens (istioctl's virtualservice.JWTClaimRouteAnalyzer).
 * Pods of gateways are not known here: a RequestAuthentication counts that could select them.
 */
export function analyzeClaims({ resources }: World, tell: Tell): void {
  const verifiers = ofKind<RequestAuthenticationSpec>(resources, 'istio', 'RequestAuthentication');
  const gateways = ofKind<Gateway>(resources, 'istio', 'Gateway');
  for (const service of ofKind<VirtualService>(resources, 'istio', 'VirtualService')) {
    const claim = claimOf(service.spec);
    if (claim === null) continue;
    for (const name of service.spec.gateways ?? []) {
      const full = name.includes('/') ? name : `${service.namespace}/${name}`;
      const gateway = gateways.find((one) => `${one.namespace}/${one.name}` === full);
      if (gateway === undefined || verifiers.some((verifier) => maySelect(verifier, gateway))) continue;
      tell(
        'IST0149',
        'error',
        service,
        claim.where,
        `the route asks for ${claim.name}, and no RequestAuthentication verifies tokens at the Gateway ${name}: it is never taken`,
        { hint: 'a RequestAuthentication that selects the pods of the gateway' },
      );
    }
  }
}

function claimOf({ http = [] }: VirtualService): { name: string; where: ReturnType<typeof sourceOf> } | null {
  for (const { match = [] } of http)
    for (const { headers = {}, withoutHeaders = {} } of match)
      for (const tests of [headers, withoutHeaders]) {
        const name = Object.keys(tests).find((one) => one.startsWith(CLAIM));
        if (name !== undefined) return { name, where: sourceOf(tests, name) };
      }
  return null;
}

/** No label is asked to be two things. */
function maySelect({ spec }: Resource<RequestAuthenticationSpec>, gateway: Resource<Gateway>): boolean {
  const wanted = Object.entries(spec.selector?.matchLabels ?? {});
  const own = gateway.spec.selector ?? {};
  return wanted.every(([label, value]) => own[label] === undefined || own[label] === value);
}
