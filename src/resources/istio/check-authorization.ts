import { isIP } from 'node:net';
import { READING } from '../../model/finding.js';
import { GATEWAY_LABELS } from '../../model/names.js';
import { nearest } from '../../model/nearest.js';
import { ROOT_NAMESPACE } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import { type Refuse, refuser } from '../refuse.js';
import type { Report, Resource } from '../resource.js';
import { CONDITION_KEYS, isExperimental, subjectOfKey } from './access-conditions.js';
import type {
  AuthorizationCondition,
  AuthorizationOperation,
  AuthorizationPolicySpec,
  AuthorizationRule,
  AuthorizationSource,
} from './authorization-policy.js';

/** What Istio's admission refuses of an AuthorizationPolicy (pkg/config/validation, ValidateAuthorizationPolicy). */
export function checkAuthorizationPolicy(resource: Resource<AuthorizationPolicySpec>, report: Report): void {
  const { selector, targetRef, targetRefs, action = 'ALLOW', rules } = resource.spec;
  const refuse = refuser(report);
  if (selector !== undefined && (targetRef === true || targetRefs === true))
    refuse(sourceOf(resource.spec, 'selector'), 'a policy has a selector or targetRefs, not both');
  checkProvider(resource.spec, refuse);
  if (action === 'CUSTOM' && isAboutGateway(resource))
    report(
      READING.unsupportedField,
      'warning',
      sourceOf(resource.spec, selector === undefined ? 'action' : 'selector'),
      'action CUSTOM is not obeyed at the gateway, which the policy is about: only sidecars ask external authorizers',
      'a selector of the workload behind the gateway, whose sidecar asks',
    );
  if (action !== 'ALLOW' && (rules ?? []).length === 0)
    refuse(
      sourceOf(resource.spec, 'action'),
      `${action} without rules means nothing: it is never met`,
      'rules: [ {} ] is met by every request',
    );
  for (const rule of rules ?? []) {
    checkRule(rule, refuse);
    for (const condition of rule.when ?? [])
      if (isExperimental(condition.key))
        report(
          READING.unsupportedField,
          'warning',
          sourceOf(condition, 'key'),
          `${condition.key} is not obeyed: no filter of Envoy runs here, so that no request has what it asks for`,
        );
  }
}

/** The gateway stands in the root namespace, whose policies are about all that their selectors leave. */
function isAboutGateway({ namespace, spec }: Resource<AuthorizationPolicySpec>): boolean {
  const wanted = Object.entries(spec.selector?.matchLabels ?? {});
  if (spec.targetRef === true || spec.targetRefs === true) return false;
  if (namespace !== ROOT_NAMESPACE && wanted.length === 0) return false;
  return wanted.every(([label, value]) => GATEWAY_LABELS[label] === value);
}

function checkProvider(spec: AuthorizationPolicySpec, refuse: Refuse): void {
  const { action = 'ALLOW', provider } = spec;
  if (action === 'CUSTOM' && (provider?.name ?? '') === '')
    refuse(sourceOf(spec, 'action'), 'action CUSTOM names who is asked', 'provider: { name: my-authorizer }');
  if (action !== 'CUSTOM' && provider !== undefined)
    refuse(sourceOf(spec, 'provider'), `a provider is for action CUSTOM, and this is ${action}`, 'action: CUSTOM');
}

function checkRule(rule: AuthorizationRule, refuse: Refuse): void {
  const { from, to, when } = rule;
  if (from !== undefined && from.length === 0)
    refuse(sourceOf(rule, 'from'), 'from is empty', 'leave it out: it is then met by everybody');
  if (to !== undefined && to.length === 0)
    refuse(sourceOf(rule, 'to'), 'to is empty', 'leave it out: it is then met by every request');
  for (const { source } of from ?? []) checkSource(source, refuse);
  for (const { operation } of to ?? []) checkOperation(operation, refuse);
  for (const condition of when ?? []) checkCondition(condition, refuse);
}

function checkSource(source: AuthorizationSource, refuse: Refuse): void {
  checkFields(source, 'source', refuse);
  for (const field of ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const)
    checkRanges(source[field], field, refuse);
  const accounts = filled(source.serviceAccounts) || filled(source.notServiceAccounts);
  const others = [source.principals, source.notPrincipals, source.namespaces, source.notNamespaces];
  if (accounts && others.some(filled))
    refuse(sourceOf(source, 'serviceAccounts'), 'serviceAccounts cannot stand beside principals or namespaces');
  for (const field of ['serviceAccounts', 'notServiceAccounts'] as const) checkAccounts(source[field], field, refuse);
}

function filled(values: readonly string[] | undefined): boolean {
  return (values ?? []).length > 0;
}

function checkAccounts(values: string[] | undefined, field: string, refuse: Refuse): void {
  for (const [i, value] of (values ?? []).entries())
    if (value.includes('*') || value.split('/').length > 2)
      refuse(
        sourceOf(values as string[], i),
        `${field}: ${JSON.stringify(value)} is no service account`,
        'NAME or NAMESPACE/NAME, without wildcards',
      );
}

function checkOperation(operation: AuthorizationOperation, refuse: Refuse): void {
  checkFields(operation, 'operation', refuse);
  for (const field of ['ports', 'notPorts'] as const) checkPorts(operation[field], field, refuse);
  for (const field of ['paths', 'notPaths'] as const)
    for (const [i, path] of (operation[field] ?? []).entries()) {
      const wrong = wrongTemplate(path);
      if (wrong !== '') refuse(sourceOf(operation[field] as string[], i), `${field}: ${path}: ${wrong}`);
    }
}

/** At least one field says something, and none of its values is empty. */
function checkFields(holder: object, what: string, refuse: Refuse): void {
  const lists = Object.entries(holder) as [string, string[]][];
  if (lists.every(([, values]) => values.length === 0))
    refuse(sourceOf(holder), `the ${what} says nothing`, `leave it out, or write a field of it`);
  for (const [field, values] of lists)
    for (const [i, value] of values.entries())
      if (value === '') refuse(sourceOf(values, i), `${field} has an empty value`);
}

function checkRanges(values: string[] | undefined, field: string, refuse: Refuse): void {
  for (const [i, value] of (values ?? []).entries())
    if (!isRange(value))
      refuse(
        sourceOf(values as string[], i),
        `${field}: ${value} is no address and no range`,
        '10.1.2.3 or 10.1.0.0/16',
      );
}

function isRange(value: string): boolean {
  const [address = '', bits, ...more] = value.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128));
}

function checkPorts(values: string[] | undefined, field: string, refuse: Refuse): void {
  for (const [i, value] of (values ?? []).entries())
    if (!/^\d{1,5}$/.test(value) || Number(value) < 1 || Number(value) > 65_535)
      refuse(sourceOf(values as string[], i), `${field}: ${value} is no port`, 'a number from 1 to 65535');
}

/** Why a path is no template; '' = it is none, or a good one. */
function wrongTemplate(path: string): string {
  if (!/\{\*\*?\}/.test(path)) return '';
  const rest = path.replace(/\{\*\*?\}/g, '');
  if (/[{}*]/.test(rest)) return 'beside {*} and {**} a template has no stars and no brackets';
  if (path.split('/').some((part) => /\{\*\*?\}/.test(part) && part !== '{*}' && part !== '{**}'))
    return '{*} and {**} stand for whole elements of a path';
  const many = path.indexOf('{**}');
  if (many >= 0 && path.indexOf('{*', many + 1) >= 0) return 'nothing with a star may stand behind {**}';
  return '';
}

function checkCondition(condition: AuthorizationCondition, refuse: Refuse): void {
  const { key, values, notValues } = condition;
  const at = sourceOf(condition, 'key');
  const subject = subjectOfKey(key);
  if (subject === null) {
    const close = nearest(key, CONDITION_KEYS);
    refuse(
      at,
      `${JSON.stringify(key)} is nothing that a condition can ask about`,
      close === null ? `known: ${CONDITION_KEYS.join(', ')}` : `did you mean ${close}?`,
    );
    return;
  }
  if (!filled(values) && !filled(notValues)) refuse(at, `the condition on ${key} has no values`, 'values: [ … ]');
  for (const [field, list] of [
    ['values', values],
    ['notValues', notValues],
  ] as const) {
    for (const [i, value] of (list ?? []).entries())
      if (value === '') refuse(sourceOf(list as string[], i), `${field} has an empty value`);
    if (subject.kind.endsWith('-address')) checkRanges(list, `${key}: ${field}`, refuse);
    if (subject.kind === 'port') checkPorts(list, `${key}: ${field}`, refuse);
  }
}
