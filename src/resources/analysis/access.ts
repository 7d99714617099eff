import { type AccessCondition, type AccessRule, isHttpOnly } from '../../model/authorization.js';
import { nearest } from '../../model/nearest.js';
import { type AuthorizationPolicy, ROOT_NAMESPACE } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import { authorizationOf } from '../istio/authorization.js';
import type { AuthorizationPolicySpec } from '../istio/authorization-policy.js';
import { authorizersOf } from '../istio/mesh-config.js';
import type { PeerAuthentication } from '../istio/others.js';
import { tokenPoliciesOf } from '../istio/request-authentication.js';
import type { KnownWorkload } from '../kubernetes/deployment.js';
import { ofKind } from '../resource.js';
import { accountsOf } from './access-values.js';
import type { Tell, World } from './world.js';

/** Authorization as a whole: who is locked out, and rules that nothing can meet. */
export function analyzeAccess(world: World, tell: Tell): void {
  checkProviders(world, tell);
  const policies = authorizationOf(world.resources);
  if (policies.length === 0) return;
  const lockedOut = new Map<AuthorizationPolicy, KnownWorkload[]>();
  for (const workload of world.workloads) {
    const about = policies.filter((policy) => policy.enforced && concerns(policy, workload));
    const culprit = lockOf(world, about);
    if (culprit !== null) lockedOut.set(culprit, [...(lockedOut.get(culprit) ?? []), workload]);
  }
  for (const [policy, workloads] of lockedOut) tellLock(policy, workloads, tell);
  for (const policy of policies) {
    checkTokens(world, policy, tell);
    checkTcp(world, policy, tell);
    checkMtls(world, policy, tell);
  }
}

/** Whoever is declared nowhere is asked nothing, and nobody is let in. */
function checkProviders({ resources }: World, tell: Tell): void {
  const known = authorizersOf(resources).map(({ name }) => name);
  for (const policy of ofKind<AuthorizationPolicySpec>(resources, 'istio', 'AuthorizationPolicy')) {
    const { action, provider } = policy.spec;
    const name = provider?.name ?? '';
    if (action !== 'CUSTOM' || known.includes(name)) continue;
    const close = nearest(name, known);
    tell(
      'MS0158',
      'error',
      policy,
      sourceOf(policy.spec, 'provider'),
      `no extension provider ${name} that is asked by HTTP is declared: every request that meets a rule is answered 403`,
      {
        hint:
          close === null
            ? 'a ConfigMap istio of istio-system whose mesh has extensionProviders: [ { name, envoyExtAuthzHttp: { service, port } } ]'
            : `did you mean ${close}?`,
      },
    );
  }
}

function concerns(
  { object, selector }: Pick<AuthorizationPolicy, 'object' | 'selector'>,
  { namespace, labels }: Pick<KnownWorkload, 'namespace' | 'labels'>,
): boolean {
  if (object.namespace !== namespace && object.namespace !== ROOT_NAMESPACE) return false;
  return selector === null || Object.entries(selector).every(([name, value]) => labels[name] === value);
}

/** The policy that keeps everybody out of a workload; null = somebody gets in. */
function lockOf(world: World, about: readonly AuthorizationPolicy[]): AuthorizationPolicy | null {
  const denying = about.find(({ action, rules }) => action === 'deny' && rules.some(isForAll));
  if (denying !== undefined) return denying;
  const allowing = about.filter(({ action }) => action === 'allow');
  return allowing.some(({ rules }) => rules.some((rule) => isMeetable(world, rule))) ? null : (allowing[0] ?? null);
}

function isForAll({ from, to, when }: AccessRule): boolean {
  return from.length === 0 && to.length === 0 && when.length === 0;
}

/** Somebody whom the mesh knows can be who the rule wants; whatever else it wants is taken as possible. */
function isMeetable(world: World, { from, when }: AccessRule): boolean {
  const principals = accountsOf(world).map((account) => `cluster.local/ns/${account.replace('/', '/sa/')}`);
  const fits = (conditions: readonly AccessCondition[]): boolean =>
    principals.some((principal) => conditions.every((condition) => mayBe(condition, principal)));
  return fits(when) && (from.length === 0 || from.some(fits));
}

function mayBe({ subject, values, not }: AccessCondition, principal: string): boolean {
  if (subject.kind !== 'principal' || not) return true;
  return values.some(({ kind, value }) => {
    switch (kind) {
      case 'exact':
        return principal === value;
      case 'prefix':
        return principal.startsWith(value);
      case 'suffix':
        return principal.endsWith(value);
      case 'regex':
        // Made of names and `.*` by the reader: nothing in it can take long.
        return new RegExp(`^(?:${value})$`).test(principal);
      default:
        return true;
    }
  });
}

function tellLock(policy: AuthorizationPolicy, workloads: readonly KnownWorkload[], tell: Tell): void {
  const { object, action, rules } = policy;
  const whom = workloads.map(({ name }) => name).join(', ');
  if (action === 'allow' && rules.length === 0)
    tell('MS0151', 'warning', object, null, `it lets nobody in: every call to ${whom} is answered 403`, {
      hint: 'a policy with rules for each call that is wanted, or rules: [ {} ] for all of them',
    });
  else
    tell('MS0152', 'error', object, null, `it locks everybody out: every call to ${whom} is answered 403`, {
      hint:
        action === 'deny' ? 'say in from, to or when what is denied' : 'its rules want callers that there are none of',
    });
}

/** Conditions on tokens that nobody verifies are met by no request. */
function checkTokens(world: World, policy: AuthorizationPolicy, tell: Tell): void {
  const verifying = tokenPoliciesOf(world.resources);
  for (const rule of policy.rules) {
    const wants = [...rule.from.flat(), ...rule.when].some(
      ({ subject, not }) => !not && (subject.kind === 'request-principal' || subject.kind === 'claim'),
    );
    const chosen = world.workloads.filter((workload) => concerns(policy, workload));
    const unverified = chosen.filter((workload) => !verifying.some((token) => concerns(token, workload)));
    if (wants && unverified.length > 0)
      tell(
        'MS0153',
        policy.action === 'allow' ? 'error' : 'warning',
        policy.object,
        rule.source,
        `the rule asks about tokens, and no RequestAuthentication verifies those of ${unverified.map(({ name }) => name).join(', ')}: it is met by no request`,
        { hint: 'a RequestAuthentication for the same workloads' },
      );
  }
}

/** On TCP ports an ALLOW that asks about HTTP lets nobody in, and a DENY keeps out more than it says. */
function checkTcp(world: World, policy: AuthorizationPolicy, tell: Tell): void {
  const tcp = world.services
    .filter(({ selector, namespace }) => {
      if (selector === null) return false;
      return world.workloadsFor(namespace, selector).some((workload) => concerns(policy, workload));
    })
    .filter(({ ports }) => ports.length > 0 && ports.every(({ protocol }) => protocol === 'tcp'));
  if (tcp.length === 0) return;
  const rule = policy.rules.find(({ from, to, when }) => [...from.flat(), ...to.flat(), ...when].some(isHttpOnly));
  if (rule === undefined) return;
  const names = tcp.map(({ name }) => name).join(', ');
  tell(
    'MS0154',
    'warning',
    policy.object,
    rule.source,
    policy.action === 'deny'
      ? `the rule asks about HTTP, which ${names} does not speak: there it denies whatever else of it holds`
      : `the rule asks about HTTP, which ${names} does not speak: there it is met by nobody`,
    { hint: 'ports, principals and namespaces are what TCP connections have' },
  );
}

/** Who calls is proved by mutual TLS alone: where that is switched off, rules about callers are met by nobody. */
function checkMtls(world: World, policy: AuthorizationPolicy, tell: Tell): void {
  const rule = policy.rules.find(({ from, when }) =>
    [...from.flat(), ...when].some(({ subject }) => subject.kind === 'principal'),
  );
  if (rule === undefined) return;
  const plain = world.workloads.filter((workload) => concerns(policy, workload) && isPlain(world, workload));
  if (plain.length > 0)
    tell(
      'KIA0105',
      'error',
      policy.object,
      rule.source,
      `the rule asks who calls, and ${plain.map(({ name }) => name).join(', ')} takes plaintext only (PeerAuthentication DISABLE): nobody proves who he is`,
      { hint: 'mtls: { mode: STRICT }' },
    );
}

function isPlain({ resources }: World, workload: KnownWorkload): boolean {
  const policies = ofKind<PeerAuthentication>(resources, 'istio', 'PeerAuthentication').toSorted(
    (a, b) => a.created - b.created,
  );
  const modeOf = (namespace: string, selecting: boolean): string | undefined =>
    policies.find(({ namespace: own, spec }) => {
      const labels = spec.selector?.matchLabels;
      if (own !== namespace || (labels !== undefined) !== selecting) return false;
      return labels === undefined || Object.entries(labels).every(([name, value]) => workload.labels[name] === value);
    })?.spec.mtls?.mode;
  const modes = [modeOf(workload.namespace, true), modeOf(workload.namespace, false), modeOf(ROOT_NAMESPACE, false)];
  return modes.find((mode) => mode !== undefined && mode !== 'UNSET') === 'DISABLE';
}
