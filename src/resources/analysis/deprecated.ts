import { sourceOf } from '../../yaml/positions.js';
import type { DestinationRule, TrafficPolicySpec } from '../istio/destination-rule.js';
import type { VirtualService } from '../istio/virtual-service.js';
import { ofKind } from '../resource.js';
import type { Tell, World } from './world.js';

/** Fields that newer ones have replaced. */
export function analyzeDeprecated(world: World, tell: Tell): void {
  for (const service of ofKind<VirtualService>(world.resources, 'istio', 'VirtualService'))
    for (const rule of service.spec.http ?? []) {
      if (rule.fault?.delay?.percent !== undefined)
        tell(
          'IST0002',
          'warning',
          service,
          sourceOf(rule.fault.delay, 'percent'),
          'fault.delay.percent is deprecated',
          { hint: `percentage: { value: ${rule.fault.delay.percent} }` },
        );
      if (rule.mirrorPercent !== undefined)
        tell('IST0002', 'warning', service, sourceOf(rule, 'mirrorPercent'), 'mirrorPercent is deprecated', {
          hint: `mirrorPercentage: { value: ${rule.mirrorPercent} }`,
        });
      if (rule.corsPolicy?.allowOrigin !== undefined)
        tell(
          'IST0002',
          'warning',
          service,
          sourceOf(rule.corsPolicy, 'allowOrigin'),
          'corsPolicy.allowOrigin is deprecated',
          { hint: 'allowOrigins: [ { exact: … } ]' },
        );
    }
  for (const rule of ofKind<DestinationRule>(world.resources, 'istio', 'DestinationRule')) {
    const policies: (TrafficPolicySpec | undefined)[] = [
      rule.spec.trafficPolicy,
      ...(rule.spec.subsets ?? []).map(({ trafficPolicy }) => trafficPolicy),
    ];
    for (const policy of policies)
      if (policy?.outlierDetection?.consecutiveErrors !== undefined)
        tell(
          'IST0002',
          'warning',
          rule,
          sourceOf(policy.outlierDetection, 'consecutiveErrors'),
          'outlierDetection.consecutiveErrors is deprecated',
          { hint: 'consecutive5xxErrors or consecutiveGatewayErrors' },
        );
  }
}
