import { RE2JS } from 're2js';
import { sourceOf } from '../../yaml/positions.js';
import type { Refuse } from '../refuse.js';
import type { HttpMatch } from './http-route.js';

const MOST_TESTS = 16;
/** CEL rules of HTTPPathMatch. */
const PATH = /^(?:[-A-Za-z0-9/._~!$&'()*+,;=:@]|%[0-9a-fA-F]{2})+$/;
const NOT_IN_PATHS = ['//', '/./', '/../', '%2f', '%2F', '#'];

/** Paths, headers and query parameters of one match. */
export function checkMatch(match: HttpMatch, refuse: Refuse): void {
  if (match.path !== undefined) checkPath(match.path, refuse);
  for (const [what, tests] of [
    ['headers', match.headers],
    ['queryParams', match.queryParams],
  ] as const) {
    const seen = new Set<string>();
    for (const [i, test] of (tests ?? []).entries()) {
      const where = sourceOf(tests as object, i);
      if (i === MOST_TESTS) refuse(where, `more than ${MOST_TESTS} ${what} in one match`);
      if (seen.has(test.name))
        refuse(where, `${test.name} stands twice in ${what} of one match`, 'one entry for a name');
      seen.add(test.name);
      if (test.type === 'RegularExpression') checkExpression(test, 'value', test.value, refuse);
    }
  }
}

function checkPath(path: NonNullable<HttpMatch['path']>, refuse: Refuse): void {
  const { type = 'PathPrefix', value = '/' } = path;
  const at = sourceOf(path, 'value');
  if (type === 'RegularExpression') return checkExpression(path, 'value', value, refuse);
  if (!value.startsWith('/')) return refuse(at, `the path ${JSON.stringify(value)} must begin with /`, `/${value}`);
  const bad = NOT_IN_PATHS.find((text) => value.includes(text)) ?? (/\/\.{1,2}$/.test(value) ? '/. or /..' : undefined);
  if (bad !== undefined) refuse(at, `the path ${value} must not contain ${bad}: requests come without it`);
  else if (!PATH.test(value))
    refuse(at, `the path ${JSON.stringify(value)} holds what no path does`, '%20 for a blank');
}

function checkExpression(of: object, field: string, value: string, refuse: Refuse): void {
  try {
    RE2JS.compile(value);
  } catch (error) {
    refuse(
      sourceOf(of, field),
      `${JSON.stringify(value)} is no regular expression: ${error instanceof Error ? error.message : error}`,
      'RE2 syntax, without look-around and back-references',
    );
  }
}

/** Names of rules are told apart. */
export function checkNames(rules: readonly { readonly name?: string }[], refuse: Refuse): void {
  const seen = new Set<string>();
  for (const rule of rules) {
    if (rule.name === undefined) continue;
    if (seen.has(rule.name)) refuse(sourceOf(rule, 'name'), `two rules are named ${rule.name}`);
    seen.add(rule.name);
  }
}
