import { ruleText } from '../matching/consider.js';
import { accessRuleText } from '../model/authorization.js';
import { saysAnything } from '../model/inbound-route.js';
import type { Policies } from '../model/policies.js';
import type { SourceRef } from '../model/source.js';

/** A rule of the policies and how many tests it decided. */
export interface RuleCoverage {
  readonly rule: string;
  readonly source: SourceRef;
  readonly hits: number;
}

/** Which rules decided requests, and which never did, in the order of their files. */
export function coverageOf(policies: Policies, met: readonly string[]): RuleCoverage[] {
  const rules = new Map<string, SourceRef>();
  for (const { rules: own } of policies.routeSets)
    for (const { route } of own) if (route.origin !== undefined) rules.set(ruleText(route), route.origin.source);
  for (const { rules: own } of [...policies.authorization, ...policies.portAccess])
    for (const rule of own) if (rule.closing === undefined) rules.set(accessRuleText(rule), rule.source);
  for (const route of policies.portAccess.flatMap(({ routes = [] }) => routes.filter(saysAnything)))
    rules.set(ruleText(route), route.origin.source);
  return [...rules].map(([rule, source]) => ({ rule, source, hits: met.filter((one) => one === rule).length }));
}
