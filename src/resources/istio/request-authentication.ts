import { DEFAULT_TOKEN_PLACES, type TokenRule } from '../../model/authorization.js';
import { READING } from '../../model/finding.js';
import { objectName, type TokenPolicy } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import { flag, list, type Read, table, tableWith, text, unsupported } from '../../yaml/readers.js';
import { keysOf } from '../jwks.js';
import { ofKind, type Report, type Resource } from '../resource.js';
import { labelSelector, passed } from '../words.js';
import { selectorOf } from './authorization.js';
import { elsewhere } from './authorization-policy.js';

/** What a RequestAuthentication may hold (istio.io/api security/v1), as it is read. */

const jwtRule = tableWith(['issuer'], {
  issuer: text,
  audiences: list(text),
  jwks: text,
  jwksUri: unsupported('keys are not fetched, so no token of this issuer is believed: write them as jwks'),
  // The old spelling of jwksUri.
  jwks_uri: unsupported('keys are not fetched, so no token of this issuer is believed: write them as jwks'),
  fromHeaders: list(tableWith(['name'], { name: text, prefix: text })),
  fromParams: list(text),
  fromCookies: list(text),
  outputPayloadToHeader: text,
  outputClaimToHeaders: list(tableWith(['header', 'claim'], { header: text, claim: text })),
  forwardOriginalToken: flag,
  timeout: passed,
  spaceDelimitedClaims: unsupported('the words of scope and permission are told apart, and of no other claim'),
});

export const requestAuthentication = table({
  selector: labelSelector,
  targetRef: elsewhere,
  targetRefs: elsewhere,
  jwtRules: list(jwtRule),
});

export type RequestAuthenticationSpec = Read<typeof requestAuthentication>;
type JwtRule = Read<typeof jwtRule>;

/** Whose tokens are believed; what no sidecar obeys (targetRefs) was told and is left out. */
export function tokenPoliciesOf(resources: readonly Resource[]): TokenPolicy[] {
  return ofKind<RequestAuthenticationSpec>(resources, 'istio', 'RequestAuthentication').flatMap((resource) => {
    const { selector, targetRef, targetRefs, jwtRules = [] } = resource.spec;
    if (targetRef === true || targetRefs === true) return [];
    const rules = jwtRules.map((rule) => tokenRule(rule, resource));
    return [{ object: resource, selector: selectorOf(selector), rules }];
  });
}

/** A rule that names a place for tokens takes them from there alone (observed). */
function tokenRule(rule: JwtRule, resource: Resource): TokenRule {
  const { fromHeaders = [], fromParams = [], fromCookies = [] } = rule;
  const own = {
    fromHeaders: fromHeaders.map(({ name, prefix = '' }) => ({ name: name.toLowerCase(), prefix })),
    fromParameters: fromParams,
    fromCookies,
  };
  const named = fromHeaders.length + fromParams.length + fromCookies.length > 0;
  return {
    ...(named ? own : DEFAULT_TOKEN_PLACES),
    issuer: rule.issuer,
    audiences: rule.audiences ?? [],
    keys: keysOf(rule.jwks) ?? [],
    forward: rule.forwardOriginalToken ?? false,
    payloadHeader: rule.outputPayloadToHeader?.toLowerCase() ?? '',
    claimHeaders: (rule.outputClaimToHeaders ?? []).map(({ header, claim }) => ({
      header: header.toLowerCase(),
      claim: claim.split('.'),
    })),
    object: objectName(resource),
    source: sourceOf(rule),
  };
}

const HEADER_NAME = /^[A-Za-z0-9-]+$/;

/** What Istio's admission refuses (ValidateRequestAuthentication). */
export function checkRequestAuthentication(resource: Resource<RequestAuthenticationSpec>, report: Report): void {
  const { selector, targetRef, targetRefs, jwtRules = [] } = resource.spec;
  const refuse = (where: Parameters<Report>[2], message: string, hint = ''): void =>
    report(READING.schema, 'error', where, message, hint);
  if (selector !== undefined && (targetRef === true || targetRefs === true))
    refuse(sourceOf(resource.spec, 'selector'), 'a policy has a selector or targetRefs, not both');
  for (const rule of jwtRules) {
    if (rule.issuer === '') refuse(sourceOf(rule, 'issuer'), 'the issuer is empty');
    const keys = keysOf(rule.jwks);
    if (keys === null) refuse(sourceOf(rule, 'jwks'), 'jwks is no JSON Web Key set', '\'{ "keys": [ … ] }\'');
    else if (rule.jwks !== undefined && keys.length === 0)
      report('MS0140', 'warning', sourceOf(rule, 'jwks'), 'no key of jwks can verify anything: no token is believed');
    for (const list of [rule.audiences, rule.fromParams, rule.fromCookies])
      for (const [i, value] of (list ?? []).entries())
        if (value === '') refuse(sourceOf(list as string[], i), 'the value is empty');
    for (const header of rule.fromHeaders ?? [])
      if (!HEADER_NAME.test(header.name)) refuse(sourceOf(header, 'name'), `${header.name} is no header`);
    for (const output of rule.outputClaimToHeaders ?? []) {
      if (!HEADER_NAME.test(output.header)) refuse(sourceOf(output, 'header'), `${output.header} is no header`);
      if (output.claim === '') refuse(sourceOf(output, 'claim'), 'the claim is empty');
    }
    if (rule.outputPayloadToHeader !== undefined && !HEADER_NAME.test(rule.outputPayloadToHeader))
      refuse(sourceOf(rule, 'outputPayloadToHeader'), `${rule.outputPayloadToHeader} is no header`);
  }
}
