import { destinationName, objectName, type RouteRule, type RouteSet } from '../../model/policies.js';
import { EVERYTHING, type ForwardAction, type RetryPolicy } from '../../model/route.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Report, type Resource } from '../resource.js';
import { LINKERD_RETRIES } from './patience.js';
import { matchesOf, meets } from './profile-conditions.js';
import type { ProfileRoute, ServiceProfile } from './service-profile.js';
import { toBackends, toService } from './service-routes.js';

/** A profile's route without a timeout has this one, ms (linkerd2 pkg/profiles). */
const DEFAULT_TIMEOUT_MS = 10_000;

/** The budget alone says how often. */
const AS_OFTEN_AS_THE_BUDGET_SAYS = 1_000;

/**
 * ServiceProfiles that say anything of routes: they go before every HTTPRoute of the same Service, as in Linkerd. One of
 * another namespace than the Service's is for callers of its own.
 */
export function profileRouteSetsOf(resources: readonly Resource[]): RouteSet[] {
  return ofKind<ServiceProfile>(resources, 'linkerd', 'ServiceProfile')
    .filter(({ spec }) => (spec.routes ?? []).length > 0 || (spec.dstOverrides ?? []).length > 0)
    .map((profile) => {
      const { name: host, namespace, spec } = profile;
      const foreign = host.split('.')[1] !== namespace;
      return {
        object: profile,
        hosts: [host],
        port: null,
        gateways: ['mesh'],
        visibleTo: foreign ? [namespace] : null,
        firstFor: foreign ? namespace : '*',
        created: 0,
        rules: [
          ...(spec.routes ?? []).flatMap((route, i) => rulesOf(profile, route, i)),
          overridden(profile, toService(profile, host, EVERYTHING)),
        ],
      };
    });
}

function rulesOf(profile: Resource<ServiceProfile>, route: ProfileRoute, index: number): RouteRule[] {
  const source = sourceOf(route);
  const { timeout = DEFAULT_TIMEOUT_MS } = route;
  const patience = { timeoutMs: timeout, retry: route.isRetryable === true ? retryOf(route) : null };
  return matchesOf(route.condition).map((match, at) => {
    const rule = overridden(profile, toService(profile, profile.name, match));
    const action = { ...(rule.route.action as ForwardAction), ...patience };
    const origin = { object: objectName(profile), rule: index, match: at, name: route.name, source };
    return { ...rule, route: { ...rule.route, name: route.name, action, origin } };
  });
}

/** `dstOverrides` send all of it elsewhere, by weight. */
function overridden({ spec }: Resource<ServiceProfile>, rule: RouteRule): RouteRule {
  const { dstOverrides = [] } = spec;
  if (dstOverrides.length === 0) return rule;
  const clusters = dstOverrides.map(({ authority, weight }) => {
    const [host = '', port] = authority.replace(/\.$/, '').split(/\.?:/);
    return { cluster: destinationName(host, port === undefined ? null : Number(port), ''), weight };
  });
  return { ...rule, route: { ...rule.route, action: toBackends(clusters.filter(({ weight }) => weight > 0)) } };
}

/** What counts as a failure is retried: 5xx, unless the route's classes say otherwise. */
function retryOf(route: ProfileRoute): RetryPolicy {
  const { responseClasses = [], name } = route;
  const { file, line } = sourceOf(route, 'isRetryable');
  const codes: number[] = [];
  for (let code = 100; code < 600; code++) {
    const known = responseClasses.find(({ condition }) => meets(code, condition));
    if (known === undefined ? code >= 500 : known.isFailure === true) codes.push(code);
  }
  return {
    ...LINKERD_RETRIES,
    attempts: AS_OFTEN_AS_THE_BUDGET_SAYS,
    retryOn: ['retriable-status-codes', 'internal', 'unavailable', 'deadline-exceeded'],
    retriableStatusCodes: codes,
    origin: `isRetryable of ${name} in line ${line} of ${file}`,
  };
}

/** The name of a profile is the Service that it is about; routes that no request can meet are told. */
export function checkServiceProfile(profile: Resource<ServiceProfile>, report: Report): void {
  if (!/^[^.]+\.[^.]+\.svc\./.test(profile.name))
    report(
      'MS0208',
      'warning',
      null,
      `${profile.name} is not the full name of a Service, so it has no effect`,
      'name.namespace.svc.cluster.local',
    );
  for (const route of profile.spec.routes ?? [])
    if (matchesOf(route.condition).length === 0)
      report(
        'MS0208',
        'warning',
        sourceOf(route),
        `the condition of ${route.name} is met by no request, in too many ways, or wants two expressions of one path: the route has no effect`,
      );
}
