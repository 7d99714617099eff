import { ACCRUAL_DEFAULTS, type FailureAccrual } from '../../model/cluster.js';
import { fqdn } from '../../model/names.js';
import type { DestinationPolicy } from '../../model/policies.js';
import { layTraffic } from '../gateway-api/backend-traffic.js';
import { ofKind, type Resource } from '../resource.js';
import { durationMs } from '../words.js';
import { retryBudgetOf, type ServiceProfile } from './service-profile.js';

/** DestinationRules with what Linkerd says of Services: circuit breakers by annotation, and budgets of ServiceProfiles. */
export function withLinkerdTraffic(
  destinations: readonly DestinationPolicy[],
  resources: readonly Resource[],
): DestinationPolicy[] {
  const known = [...destinations];
  for (const service of ofKind(resources, 'kubernetes', 'Service')) {
    const ejection = accrualOf(service.annotations);
    // Beside a ServiceProfile no breaker works, as there.
    const host = fqdn(service.name, service.namespace);
    const profiled = ofKind(resources, 'linkerd', 'ServiceProfile').some(({ name }) => name === host);
    if (ejection !== null && !profiled)
      layTraffic({ outlier: { ejection, minHealthPercent: 0 } }, fqdn(service.name, service.namespace), service, known);
  }
  for (const profile of ofKind<ServiceProfile>(resources, 'linkerd', 'ServiceProfile'))
    layTraffic({ retryBudget: retryBudgetOf(profile.spec) }, profile.name, profile, known);
  return known;
}

const PREFIX = 'balancer.linkerd.io/failure-accrual';
const RATE = 'balancer.alpha.linkerd.io/failure-accrual-success-rate';

/** Null = endpoints are not left alone for what they answer. */
function accrualOf(annotations: Readonly<Record<string, string>>): FailureAccrual | null {
  const mode = annotations[PREFIX];
  if (mode !== 'consecutive' && mode !== 'unified') return null;
  const number = (name: string, otherwise: number): number => {
    const value = Number(annotations[name] ?? Number.NaN);
    return Number.isFinite(value) && value >= 0 ? value : otherwise;
  };
  const ms = (name: string, otherwise: number): number => durationMs(annotations[name] ?? '') ?? otherwise;
  const minPenaltyMs = ms(`${PREFIX}-consecutive-min-penalty`, ACCRUAL_DEFAULTS.minPenaltyMs);
  return {
    kind: 'accrual',
    maxFailures: number(`${PREFIX}-consecutive-max-failures`, ACCRUAL_DEFAULTS.maxFailures),
    successRate:
      mode === 'consecutive'
        ? null
        : {
            threshold: number(`${RATE}-threshold`, 0.8),
            windowMs: ms(`${RATE}-window`, 10_000),
            minimumRequests: number(`${RATE}-min-requests`, 5),
          },
    minPenaltyMs,
    maxPenaltyMs: Math.max(minPenaltyMs, ms(`${PREFIX}-consecutive-max-penalty`, ACCRUAL_DEFAULTS.maxPenaltyMs)),
    jitterRatio: number(`${PREFIX}-consecutive-jitter-ratio`, ACCRUAL_DEFAULTS.jitterRatio),
  };
}
