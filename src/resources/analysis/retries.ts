import { sourceOf } from '../../yaml/positions.js';
import type { DestinationRule, TrafficPolicySpec } from '../istio/destination-rule.js';
import type { HttpMatch, HttpRoute, VirtualService } from '../istio/virtual-service.js';
import { ofKind, type Resource } from '../resource.js';
import type { Tell, World } from './world.js';

/** What retries, timeouts and limits of one rule make of each other. */
export function analyzeRetries(world: World, tell: Tell): void {
  for (const service of ofKind<VirtualService>(world.resources, 'istio', 'VirtualService'))
    for (const rule of service.spec.http ?? []) {
      checkArithmetic(service, rule, tell);
      checkIdempotency(service, rule, tell);
      checkFault(service, rule, tell);
    }
  for (const rule of ofKind<DestinationRule>(world.resources, 'istio', 'DestinationRule'))
    checkEjection(world, rule, tell);
}

function checkArithmetic(object: Resource<VirtualService>, rule: HttpRoute, tell: Tell): void {
  const { retries, timeout } = rule;
  if (retries === undefined || (retries.attempts ?? 0) === 0) return;
  const { attempts = 0, perTryTimeout } = retries;
  const at = sourceOf(rule, 'retries');
  if (timeout !== undefined && perTryTimeout !== undefined && perTryTimeout >= timeout)
    tell(
      'MS0120',
      'warning',
      object,
      sourceOf(retries, 'perTryTimeout'),
      `perTryTimeout ${perTryTimeout} ms is not below the timeout ${timeout} ms of all tries: it never ends one, and nothing is retried for it`,
      {
        hint: `perTryTimeout: ${Math.max(1, Math.floor(timeout / (attempts + 1)))}ms`,
      },
    );
  else if (timeout !== undefined && perTryTimeout !== undefined && perTryTimeout * (attempts + 1) > timeout) {
    const fit = Math.floor(timeout / perTryTimeout);
    tell(
      'MS0121',
      'info',
      object,
      at,
      `${attempts + 1} tries of ${perTryTimeout} ms need ${perTryTimeout * (attempts + 1)} ms, and the timeout ends them after ${timeout} ms: about ${fit} fit`,
      {
        hint: `timeout: ${perTryTimeout * (attempts + 1)}ms, or attempts: ${Math.max(0, fit - 1)}`,
      },
    );
  }
  if (timeout !== undefined && perTryTimeout === undefined)
    tell(
      'MS0122',
      'info',
      object,
      at,
      `without perTryTimeout a slow first try uses up the timeout of ${timeout} ms, and no retry follows`,
      {
        hint: `perTryTimeout: ${Math.floor(timeout / (attempts + 1))}ms`,
      },
    );
  if (perTryTimeout !== undefined && !coversTimeouts(retries.retryOn))
    tell(
      'MS0123',
      'warning',
      object,
      sourceOf(retries, 'perTryTimeout'),
      `a try that runs into perTryTimeout is not retried by ${retries.retryOn ?? 'the default retryOn'}`,
      {
        hint: 'retryOn: 5xx, gateway-error or reset',
      },
    );
}

function coversTimeouts(retryOn: string | undefined): boolean {
  return (retryOn ?? '').split(',').some((word) => ['5xx', 'gateway-error', 'reset'].includes(word));
}

const REPEATING = ['5xx', 'gateway-error', 'reset', 'retriable-status-codes'];
const UNSAFE = ['POST', 'PATCH'];

/** Envoy does not look at the method: a POST that was executed is executed again. */
function checkIdempotency(object: Resource<VirtualService>, { match = [], retries }: HttpRoute, tell: Tell): void {
  if (retries === undefined || (retries.attempts ?? 0) === 0) return;
  const repeats = (retries.retryOn ?? '').split(',').filter((word) => REPEATING.includes(word) || /^5\d\d$/.test(word));
  if (repeats.length === 0) return;
  const unsafe = match.filter((one) => UNSAFE.includes(one.method?.exact ?? ''));
  if (unsafe.length > 0)
    tell(
      'MS0124',
      'warning',
      object,
      sourceOf(retries),
      `retryOn ${repeats.join(',')} on a rule for ${[...new Set(unsafe.map(methodOf))].join(' and ')}: what was executed and failed afterwards is executed twice`,
      {
        hint: 'retryOn: connect-failure,refused-stream, or an idempotency key that the app honours',
      },
    );
}

function methodOf(match: HttpMatch): string {
  return match.method?.exact ?? '';
}

/** A share that is not written is none at all. */
function checkFault(object: Resource<VirtualService>, { fault }: HttpRoute, tell: Tell): void {
  for (const part of [fault?.delay, fault?.abort])
    if (part !== undefined && part.percentage === undefined && !('percent' in part && part.percent !== undefined))
      tell('MS0125', 'warning', object, sourceOf(part), 'without percentage the fault hits no request', {
        hint: 'percentage: { value: 100 }',
      });
  const status = fault?.abort?.httpStatus;
  if (fault?.abort !== undefined && status !== undefined && (status < 200 || status > 599))
    tell(
      'MS0126',
      'error',
      object,
      sourceOf(fault.abort, 'httpStatus'),
      `Istio takes httpStatus ${status}, and Envoy refuses the configuration: nothing of it comes into force`,
      { hint: '200 to 599' },
    );
}

/** A share of endpoints into which not a single one fits. */
function checkEjection(world: World, rule: Resource<DestinationRule>, tell: Tell): void {
  const policies: (TrafficPolicySpec | undefined)[] = [
    rule.spec.trafficPolicy,
    ...(rule.spec.subsets ?? []).map(({ trafficPolicy }) => trafficPolicy),
  ];
  for (const policy of policies) {
    const outlier = policy?.outlierDetection;
    if (outlier === undefined) continue;
    const percent = outlier.maxEjectionPercent ?? 10;
    const host = rule.spec.host.includes('.')
      ? rule.spec.host
      : `${rule.spec.host}.${rule.namespace}.svc.cluster.local`;
    const service = world.serviceOf(host);
    const pods = service?.selector == null ? [] : world.workloadsFor(service.namespace, service.selector);
    if (pods.length > 0 && pods.length * (percent / 100) < 1)
      tell(
        'MS0127',
        'warning',
        rule,
        sourceOf(outlier),
        `maxEjectionPercent ${percent} of ${pods.length} ${pods.length === 1 ? 'pod' : 'pods'} is less than one: none is ever ejected`,
        {
          hint: `maxEjectionPercent: ${Math.ceil(100 / pods.length)}`,
        },
      );
  }
}
