import { ACCRUAL_DEFAULTS, type FailureAccrual } from '../../model/cluster.js';
import { fqdn } from '../../model/names.js';
import type { DestinationPolicy } from '../../model/policies.js';
import { layTraffic } from '../lay-traffic.js';
import { ofKind, type Resource } from '../resource.js';
import { linkerdMs, unreadable } from './annotation-values.js';
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
      layTraffic({ outlier: { ejection, minHealthPercent: 0 } }, { host, port: null }, service, known);
  }
  for (const profile of ofKind<ServiceProfile>(resources, 'linkerd', 'ServiceProfile'))
    layTraffic({ retryBudget: retryBudgetOf(profile.spec) }, { host: profile.name, port: null }, profile, known);
  return known;
}

const PREFIX = 'balancer.linkerd.io/failure-accrual';
const RATE = 'balancer.alpha.linkerd.io/failure-accrual-success-rate';
const MIN_PENALTY = `${PREFIX}-consecutive-min-penalty`;
const MAX_PENALTY = `${PREFIX}-consecutive-max-penalty`;

/** Null = endpoints are not left alone for what they answer: nothing is said, or what is said cannot be. */
function accrualOf(annotations: Readonly<Record<string, string>>): FailureAccrual | null {
  const mode = annotations[PREFIX];
  if (mode === undefined || unreadable(annotations, 'accrual') !== null) return null;
  const number = (name: string, otherwise: number): number => Number(annotations[name] ?? otherwise);
  const ms = (name: string, otherwise: number): number => linkerdMs(annotations[name] ?? '') ?? otherwise;
  const minPenaltyMs = ms(MIN_PENALTY, ACCRUAL_DEFAULTS.minPenaltyMs);
  const maxPenaltyMs = ms(MAX_PENALTY, ACCRUAL_DEFAULTS.maxPenaltyMs);
  if (maxPenaltyMs === 0 || minPenaltyMs > maxPenaltyMs) return null;
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
    maxPenaltyMs,
    jitterRatio: number(`${PREFIX}-consecutive-jitter-ratio`, ACCRUAL_DEFAULTS.jitterRatio),
  };
}

/** Penalties of which the shortest is longer than the longest, or which are none: then no breaker works. */
export function badPenalties(annotations: Readonly<Record<string, string>>): string | null {
  if (annotations[PREFIX] === undefined || unreadable(annotations, 'accrual') !== null) return null;
  return accrualOf(annotations) === null ? (annotations[MIN_PENALTY] === undefined ? MAX_PENALTY : MIN_PENALTY) : null;
}
