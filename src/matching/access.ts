import { BlockList, isIP, isIPv6 } from 'node:net';
import { literally, wildcardMatch } from '../model/access-match.js';
import {
  type AccessCondition,
  type AccessConditions,
  type AccessMatch,
  type AccessRule,
  type Authorization,
  accessRuleText,
  isHttpOnly,
} from '../model/authorization.js';
import type { Consideration } from '../model/exchange.js';
import { type AccessRequest, lookAt, subjectText, TOKEN_SEPARATOR } from './access-subject.js';
import { expression, type TextTest, textTest } from './text.js';

/** What authorization says of one call. */
export interface Verdict {
  readonly allowed: boolean;
  /** The rule that decided; null = none did. */
  readonly rule: AccessRule | null;
  /** `rule 1 of AuthorizationPolicy default/viewer lets it in`, without a full stop. */
  readonly text: string;
  /** Rules that were met and decide nothing: audits and dry runs. */
  readonly noted: readonly AccessRule[];
}

type AccessTest = (request: AccessRequest) => boolean;

/** Rules made ready to be asked. */
export interface Access {
  decide(request: AccessRequest): Verdict;
  /** Every rule, and the first of its parts that does not hold; '' = it is met. */
  consider(request: AccessRequest): Consideration[];
}

interface RuleAtWork {
  readonly rule: AccessRule;
  readonly isMet: AccessTest;
  readonly verdict: Verdict;
}

/**
 * Makes the rules of a configuration ready, once. On TCP connections an allowing rule that asks about HTTP is met by none,
 * and any other loses what it asks about HTTP (Istio): both let in less. Throws when an expression of a rule is none.
 */
export function accessOf({ rules, otherwise }: Authorization, wire: 'http' | 'tcp'): Access {
  const asked = wire === 'http' ? rules : rules.flatMap(onConnection);
  const atWork = asked.map((rule): RuleAtWork => ({ rule, isMet: ruleTest(rule), verdict: verdictOf(rule) }));
  const rest: Verdict = { allowed: otherwise.action === 'allow', rule: null, text: otherwise.because, noted: [] };
  return {
    decide(request) {
      let noted: AccessRule[] | null = null;
      for (let i = 0; i < atWork.length; i++) {
        const { rule, isMet, verdict } = atWork[i] as RuleAtWork;
        if (!isMet(request)) continue;
        if (rule.enforced && rule.action !== 'audit') return noted === null ? verdict : { ...verdict, noted };
        noted = [...(noted ?? []), rule];
      }
      return noted === null ? rest : { ...rest, noted };
    },
    consider: (request) =>
      asked.map((rule) => ({ rule: accessRuleText(rule), source: rule.source, why: failingOf(rule, request) })),
  };
}

function verdictOf(rule: AccessRule): Verdict {
  const allowed = rule.action !== 'deny';
  return { allowed, rule, text: `${accessRuleText(rule)} ${allowed ? 'lets it in' : 'keeps it out'}`, noted: [] };
}

function onConnection(rule: AccessRule): AccessRule[] {
  const { from, to, when } = rule;
  if (rule.answer !== undefined) return [];
  const about = [...from, ...to, when].some((conditions) => conditions.some(isHttpOnly));
  if (!about) return [rule];
  if (rule.action === 'allow') return [];
  const rest = (conditions: AccessConditions): AccessConditions => conditions.filter((one) => !isHttpOnly(one));
  return [{ ...rule, from: from.map(rest), to: to.map(rest), when: rest(when) }];
}

function ruleTest({ action, from, to, when }: AccessRule): AccessTest {
  const keepsOut = action !== 'allow';
  return allOf([anyOf(from, keepsOut), anyOf(to, keepsOut), ...when.map((one) => conditionTest(one, keepsOut))]);
}

const ALWAYS: AccessTest = () => true;

function anyOf(alternatives: readonly AccessConditions[], keepsOut: boolean): AccessTest {
  const tests = alternatives.map((conditions) => allOf(conditions.map((one) => conditionTest(one, keepsOut))));
  const [only = ALWAYS] = tests;
  return tests.length > 1 ? (request) => tests.some((test) => test(request)) : only;
}

function allOf(tests: readonly AccessTest[]): AccessTest {
  const asked = tests.filter((test) => test !== ALWAYS);
  const [only = ALWAYS] = asked;
  return asked.length > 1 ? (request) => asked.every((test) => test(request)) : only;
}

function conditionTest({ subject, values, not }: AccessCondition, keepsOut: boolean): AccessTest {
  const look = lookAt(subject, keepsOut !== not);
  const tests = values.map(matchTest);
  const [only = NEVER] = tests;
  const test: TextTest = tests.length > 1 ? (text) => tests.some((one) => one(text)) : only;
  return not ? (request) => !look(request, test) : (request) => look(request, test);
}

const NEVER: TextTest = () => false;

/** A test of one value. Throws when it is an expression and none. */
function matchTest({ kind, value }: AccessMatch): TextTest {
  switch (kind) {
    case 'range':
      return rangeTest(value);
    case 'template':
      return textTest({ kind: 'regex', value: templateExpression(value) });
    case 'token':
      return tokenTest(value);
    case 'regex': {
      const compiled = expression(value);
      return (text) => compiled.testExact(text);
    }
    default:
      return textTest({ kind, value });
  }
}

function rangeTest(range: string): TextTest {
  const [address = '', bits] = range.split('/');
  const family = isIPv6(address) ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  if (bits === undefined) list.addAddress(address, family);
  else list.addSubnet(address, Number(bits), family);
  return (text) => {
    const bare = text.startsWith('::ffff:') ? text.slice('::ffff:'.length) : text;
    return isIP(bare) !== 0 && list.check(bare, isIPv6(bare) ? 'ipv6' : 'ipv4');
  };
}

/** `{*}` is one element that is not empty, `{**}` anything, with the slashes around it as they stand (observed). */
function templateExpression(template: string): string {
  return template
    .split(/(\{\*\*?\})/)
    .map((part) => (part === '{*}' ? '[^/]+' : part === '{**}' ? '.*' : literally(part)))
    .join('');
}

/** The last slash separates the subject; without one it is the beginning of an issuer or the end of a subject. */
function tokenTest(value: string): TextTest {
  const slash = value.lastIndexOf('/');
  const [issuer, subject] =
    value === '*' ? ['*', '*'] : slash >= 0 ? [value.slice(0, slash), value.slice(slash + 1)] : bareToken(value);
  const [issuerTest, subjectTest] = [wildcardTest(issuer), wildcardTest(subject)];
  return (text) => {
    const end = text.indexOf(TOKEN_SEPARATOR);
    return end > 0 && issuerTest(text.slice(0, end)) && subjectTest(text.slice(end + 1));
  };
}

function bareToken(value: string): [issuer: string, subject: string] {
  if (value.endsWith('*')) return [value, '*'];
  return value.startsWith('*') ? ['*', value] : [value, ''];
}

function wildcardTest(value: string): TextTest {
  return textTest(wildcardMatch(value));
}

/** The first part of a rule that does not hold, as a sentence; '' = it is met. */
function failingOf({ action, from, to, when }: AccessRule, request: AccessRequest): string {
  const keepsOut = action !== 'allow';
  for (const alternatives of [from, to]) {
    if (anyOf(alternatives, keepsOut)(request)) continue;
    const failing = alternatives.flatMap((conditions) =>
      conditions.filter((one) => !conditionTest(one, keepsOut)(request)).slice(0, 1),
    );
    return wanted(failing, request);
  }
  const failing = when.find((one) => !conditionTest(one, keepsOut)(request));
  return failing === undefined ? '' : wanted([failing], request);
}

function wanted(failing: readonly AccessCondition[], request: AccessRequest): string {
  const parts = failing.map(({ text, subject }) => `${text}, and it is ${subjectText(subject, request)}`);
  return `it wants ${[...new Set(parts)].join('; or ')}`;
}
