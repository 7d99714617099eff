import { sourceOf } from '../../yaml/positions.js';
import { gatewaysOf } from '../gateway-api/attachments.js';
import type { AuthorizationPolicySpec } from '../istio/authorization-policy.js';
import type { RequestAuthenticationSpec } from '../istio/request-authentication.js';
import type { Telemetry } from '../istio/telemetry.js';
import { ofKind } from '../resource.js';
import type { Tell, World } from './world.js';

/** The label that Istio gives to the pods of a Gateway of the Gateway API. */
export const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name';

type Policy = AuthorizationPolicySpec & RequestAuthenticationSpec & Telemetry;

/** Policies that choose the pods of a Gateway of the Gateway API by labels (istioctl's k8sgateway.SelectorAnalyzer). */
export function analyzeGatewayPolicies({ resources }: World, tell: Tell): void {
  const gateways = gatewaysOf(resources);
  for (const kind of ['AuthorizationPolicy', 'RequestAuthentication', 'Telemetry'])
    for (const policy of ofKind<Policy>(resources, 'istio', kind)) {
      const { selector, targetRef, targetRefs } = policy.spec;
      const { [GATEWAY_NAME]: name, ...more } = selector?.matchLabels ?? {};
      if (name === undefined || Object.keys(more).length > 0 || targetRef === true || targetRefs === true) continue;
      if (gateways.some((gateway) => gateway.namespace === policy.namespace && gateway.name === name))
        tell(
          'IST0166',
          'warning',
          policy,
          sourceOf(policy.spec, 'selector'),
          `a selector has no effect on the Gateway ${name}, which is one of the Gateway API`,
          { hint: `targetRefs: [ { group: gateway.networking.k8s.io, kind: Gateway, name: ${name} } ]` },
        );
    }
}
