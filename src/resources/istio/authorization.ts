import type { AccessRule } from '../../model/authorization.js';
import { type AuthorizationPolicy, type ExternalPolicy, objectName } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource } from '../resource.js';
import { keyConditions, operationConditions, sourceConditions } from './access-conditions.js';
import { type AuthorizationPolicySpec, type AuthorizationRule, DRY_RUN } from './authorization-policy.js';

const ACTIONS = { ALLOW: 'allow', DENY: 'deny', AUDIT: 'audit' } as const;

/** Those of action CUSTOM: somebody else decides. */
export function externalPoliciesOf(resources: readonly Resource[]): ExternalPolicy[] {
  return ofKind<AuthorizationPolicySpec>(resources, 'istio', 'AuthorizationPolicy').flatMap((resource) => {
    const { selector, action, rules = [], targetRef, targetRefs, provider } = resource.spec;
    if (action !== 'CUSTOM' || targetRef === true || targetRefs === true) return [];
    return [
      {
        object: resource,
        selector: selectorOf(selector),
        provider: provider?.name ?? '',
        rules: rules.map((rule, i) => accessRule(rule, i, resource, { action: 'deny', enforced: true })),
      },
    ];
  });
}

/** What AuthorizationPolicies say by themselves; those that no sidecar obeys (targetRefs) were told and are left out. */
export function authorizationOf(resources: readonly Resource[]): AuthorizationPolicy[] {
  return ofKind<AuthorizationPolicySpec>(resources, 'istio', 'AuthorizationPolicy').flatMap((resource) => {
    const { selector, action = 'ALLOW', rules = [], targetRef, targetRefs } = resource.spec;
    if (action === 'CUSTOM' || targetRef === true || targetRefs === true) return [];
    const policy = { action: ACTIONS[action], enforced: resource.annotations[DRY_RUN] !== 'true' };
    return [
      {
        ...policy,
        object: resource,
        selector: selectorOf(selector),
        rules: rules.map((rule, i) => accessRule(rule, i, resource, policy)),
      },
    ];
  });
}

/** A selector without labels chooses everybody, as if there were none. */
export function selectorOf(
  selector: { readonly matchLabels?: Readonly<Record<string, string>> } | undefined,
): Readonly<Record<string, string>> | null {
  const labels = selector?.matchLabels ?? {};
  return Object.keys(labels).length === 0 ? null : labels;
}

function accessRule(
  rule: AuthorizationRule,
  index: number,
  resource: Resource,
  policy: Pick<AccessRule, 'action' | 'enforced'>,
): AccessRule {
  const { from = [], to = [], when = [] } = rule;
  const { namespace, name } = resource;
  return {
    ...policy,
    name: `ns[${namespace}]-policy[${name}]-rule[${index}]`,
    object: objectName(resource),
    rule: index,
    source: sourceOf(rule),
    from: from.map(({ source }) => sourceConditions(source, namespace)),
    to: to.map(({ operation }) => operationConditions(operation, namespace)),
    when: when.flatMap((condition) => keyConditions(condition, namespace)),
  };
}
