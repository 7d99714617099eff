import { RE2JS } from 're2js';
import type { FieldMatch, PathMatch, QueryMatch, RouteMatch } from '../../model/route.js';
import type { RequestHead } from '../codec/message.js';
import { expression, type TextTest, textTest } from './text.js';

export type HeadTest = (head: RequestHead) => boolean;

/**
 * What tells whether a request is a route's, made once per configuration. Only parts that say anything are asked, the
 * cheap ones first. Throws when an expression of the rule is none.
 */
export function headTest({ path, methods, fields, query }: RouteMatch): HeadTest {
  const tests: HeadTest[] = [];
  const onTarget = targetTest(path);
  if (onTarget !== null) tests.push((head) => onTarget(head.target));
  if (methods.length > 0) tests.push((head) => methods.includes(head.method));
  for (const match of fields) tests.push(fieldTest(match));
  for (const match of query) tests.push(queryTest(match));
  // One call inside the other, each test with its own rest: what fails first ends it.
  return (
    tests.reduceRight<HeadTest | null>(
      (rest, test) => (rest === null ? test : (head) => test(head) && rest(head)),
      null,
    ) ?? (() => true)
  );
}

/** The target without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

/**
 * A test of the path of a target. The common kinds look at the target as it is, query and all, so that nothing is cut
 * out for a route that is not meant. Null = every path.
 */
function targetTest({ kind, value, ignoreCase }: PathMatch): TextTest | null {
  if (kind === 'regex') {
    const compiled = expression(value, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    return (target) => compiled.testExact(pathOf(target));
  }
  if (value === '/' && kind !== 'exact') return null;
  // A path has no `?`: a rule that has one is met by none.
  if (value.includes('?')) return () => false;
  if (!ignoreCase) return prefixTest(kind, value);
  const test = prefixTest(kind, value.toLowerCase());
  return (target) => test(pathOf(target).toLowerCase());
}

function prefixTest(kind: 'prefix' | 'segments' | 'exact', value: string): TextTest {
  if (kind === 'prefix') return (target) => target.startsWith(value);
  // Gateway API goes by elements; a slash at the end of the rule says nothing.
  const bare = kind === 'segments' && value.endsWith('/') ? value.slice(0, -1) : value;
  const end = bare.length;
  const inside = kind === 'segments' ? SLASH : NEVER;
  return (target) => {
    if (!target.startsWith(bare)) return false;
    const next = target.length === end ? QUERY : target.charCodeAt(end);
    return next === QUERY || next === inside;
  };
}

const SLASH = 47;
const QUERY = 63;
const NEVER = -1;

/** What is no field in HTTP/1.1 and may be matched like one. */
const PSEUDO_FIELDS: Readonly<Record<string, ((head: RequestHead) => string) | undefined>> = {
  host: ({ host }) => host,
  ':authority': ({ host }) => host,
  ':method': ({ method }) => method,
  ':path': ({ target }) => target,
  ':scheme': () => 'http',
};

/** Lines of one name are looked at one by one: any that fits suffices, and any defeats an inverted match (Envoy). */
function fieldTest({ name, invert, missingAsEmpty, ...match }: FieldMatch): HeadTest {
  const test = textTest(match);
  const { kind, value } = match;
  const pseudo = PSEUDO_FIELDS[name];
  if (pseudo === undefined && kind === 'exact' && !invert && !missingAsEmpty)
    return (head) => head.fields.has(name, value);
  return (head) => {
    const values = pseudo === undefined ? head.fields.all(name) : [pseudo(head)];
    if (values.length === 0) {
      if (kind === 'present') return invert;
      return missingAsEmpty ? test('') !== invert : invert;
    }
    return values.some(test) !== invert;
  };
}

function queryTest({ name, ...match }: QueryMatch): HeadTest {
  const test = textTest(match);
  return (head) => {
    const value = firstParameter(head.target, name);
    return value !== null && test(value);
  };
}

/** Value of the first parameter of a name, as it was sent; null when there is none. */
export function firstParameter(target: string, name: string): string | null {
  let start = target.indexOf('?') + 1;
  if (start === 0) return null;
  while (start <= target.length) {
    const next = target.indexOf('&', start);
    const end = next < 0 ? target.length : next;
    const equals = target.indexOf('=', start);
    const nameEnd = equals < 0 || equals > end ? end : equals;
    if (target.slice(start, nameEnd) === name) return target.slice(Math.min(nameEnd + 1, end), end);
    start = end + 1;
  }
  return null;
}
