import { sourceOf } from '../../yaml/positions.js';
import type { DestinationRule, PortSettings, TrafficPolicySpec } from '../istio/destination-rule.js';
import type { VirtualService } from '../istio/virtual-service.js';
import { ofKind, type Resource } from '../resource.js';
import { fullHost } from '../words.js';
import { destinationsOf } from './hosts.js';
import type { Tell, World } from './world.js';

/** DestinationRules: hosts and subsets that select nobody, policies that never act, servers that nobody verifies. */
export function analyzeDestinations(world: World, tell: Tell): void {
  const rules = ofKind<DestinationRule>(world.resources, 'istio', 'DestinationRule');
  for (const rule of rules) {
    const host = fullHost(rule.spec.host, rule.namespace);
    checkHost(world, rule, host, tell);
    checkSubsets(world, rule, host, tell);
    checkActivation(world, rule, host, tell);
    checkVerification(rule, tell);
  }
  checkSeveral(rules, tell);
}

function checkHost(world: World, rule: Resource<DestinationRule>, host: string, tell: Tell): void {
  if (!world.complete || host.startsWith('*') || world.serviceOf(host) !== null) return;
  tell(
    'IST0174',
    'warning',
    rule,
    sourceOf(rule.spec, 'host'),
    `the host ${rule.spec.host} is not in the mesh, so the rule has no effect`,
    {
      hint: `there are: ${world.services.map(({ name }) => name).join(', ')}`,
      also: ['KIA0202'],
    },
  );
}

function checkSubsets(world: World, rule: Resource<DestinationRule>, host: string, tell: Tell): void {
  const service = world.serviceOf(host);
  for (const subset of rule.spec.subsets ?? []) {
    const wanted = subset.labels ?? {};
    if (Object.keys(wanted).length === 0)
      tell(
        'KIA0209',
        'warning',
        rule,
        sourceOf(subset),
        `the subset ${subset.name} has no labels: it is all of ${rule.spec.host}`,
      );
    if (service === null || service.selector === null || (service.outside ?? []).length > 0) continue;
    const pods = world.workloadsFor(service.namespace, service.selector);
    if (
      pods.length === 0 ||
      pods.some(({ labels }) => Object.entries(wanted).every(([name, value]) => labels[name] === value))
    )
      continue;
    const has = [
      ...new Set(
        pods.map(({ labels }) =>
          Object.keys(wanted)
            .map((name) => `${name}: ${labels[name] ?? 'none'}`)
            .join(', '),
        ),
      ),
    ];
    tell(
      'IST0173',
      'error',
      rule,
      sourceOf(subset),
      `the subset ${subset.name} selects no pod of ${rule.spec.host}, so its requests are answered 503 (UH)`,
      {
        hint: `its pods have ${has.join(' or ')}`,
        also: ['KIA0203'],
      },
    );
  }
}

/** The settings of a subset act only where a route sends requests to the subset. */
function checkActivation(world: World, rule: Resource<DestinationRule>, host: string, tell: Tell): void {
  for (const subset of rule.spec.subsets ?? [])
    if (subset.trafficPolicy !== undefined && namedSubsets(world).get(host)?.has(subset.name) !== true)
      tell(
        'MS0110',
        'warning',
        rule,
        sourceOf(subset, 'trafficPolicy'),
        `the trafficPolicy of the subset ${subset.name} is not activated: no VirtualService routes to the subset`,
        {
          hint: `a VirtualService for ${rule.spec.host} whose destination names subset: ${subset.name}, or the policy at the rule itself`,
        },
      );
}

const named = new WeakMap<World, ReadonlyMap<string, ReadonlySet<string>>>();

/** Subsets that routes name, by their hosts. */
function namedSubsets(world: World): ReadonlyMap<string, ReadonlySet<string>> {
  const known = named.get(world);
  if (known !== undefined) return known;
  const found = new Map<string, Set<string>>();
  for (const service of ofKind<VirtualService>(world.resources, 'istio', 'VirtualService'))
    for (const { host, subset } of destinationsOf(service)) {
      const full = fullHost(host, service.namespace);
      if (subset !== undefined) found.set(full, (found.get(full) ?? new Set()).add(subset));
    }
  named.set(world, found);
  return found;
}

function checkVerification(rule: Resource<DestinationRule>, tell: Tell): void {
  const policies = [rule.spec.trafficPolicy, ...(rule.spec.subsets ?? []).map(({ trafficPolicy }) => trafficPolicy)];
  for (const policy of policies) {
    if (policy === undefined) continue;
    if (isUnverified(policy, rule.spec))
      tell('IST0128', 'warning', rule, sourceOf(policy, 'tls'), unverified(policy), {
        hint: 'caCertificates: /etc/ssl/certs/ca-certificates.crt',
      });
    for (const port of policy.portLevelSettings ?? [])
      if (isUnverified(port, rule.spec))
        tell('IST0129', 'warning', rule, sourceOf(port, 'tls'), unverified(port), {
          hint: 'caCertificates: /etc/ssl/certs/ca-certificates.crt',
        });
  }
}

/** A credentialName is looked up by gateways, and by those sidecars alone that a workloadSelector names. */
function isUnverified({ tls }: PortSettings | TrafficPolicySpec, { workloadSelector }: DestinationRule): boolean {
  if (tls === undefined || (tls.mode !== 'SIMPLE' && tls.mode !== 'MUTUAL')) return false;
  const credential = workloadSelector === undefined ? undefined : tls.credentialName;
  return tls.caCertificates === undefined && credential === undefined && tls.insecureSkipVerify !== true;
}

function unverified({ tls }: PortSettings | TrafficPolicySpec): string {
  return `TLS ${tls?.mode} without caCertificates: the server's certificate is not verified`;
}

function checkSeveral(rules: readonly Resource<DestinationRule>[], tell: Tell): void {
  for (const [i, rule] of rules.entries()) {
    const twin = rules
      .slice(0, i)
      .find(
        (other) =>
          other.namespace === rule.namespace &&
          fullHost(other.spec.host, other.namespace) === fullHost(rule.spec.host, rule.namespace),
      );
    if (twin === undefined) continue;
    const names = new Set((twin.spec.subsets ?? []).map(({ name }) => name));
    const repeated = (rule.spec.subsets ?? []).find(({ name }) => names.has(name));
    const both = twin.spec.trafficPolicy !== undefined && rule.spec.trafficPolicy !== undefined;
    if (repeated === undefined && !both) continue;
    tell(
      'KIA0201',
      'warning',
      rule,
      null,
      `${twin.name} is about ${rule.spec.host} too, and ${repeated === undefined ? 'of two trafficPolicies only the older counts' : `defines the subset ${repeated.name} as well: only the older one counts`}`,
      {
        hint: 'one DestinationRule for a host',
      },
    );
  }
}
