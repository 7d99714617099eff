import { RE2JS } from 're2js';
import type { FieldMatch, PathMatch, QueryMatch, RouteMatch } from '../../model/route.js';
import type { FieldBlock } from '../codec/field-block.js';
import type { RequestHead } from '../codec/message.js';
import { parameterOf } from '../codec/target.js';
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

function fieldTest(match: FieldMatch): HeadTest {
  const pseudo = PSEUDO_FIELDS[match.name];
  if (pseudo === undefined) {
    const test = fieldsTest(match);
    return (head) => test(head.fields);
  }
  const test = valuesTest(match);
  return (head) => test([pseudo(head)]);
}

/** A test of the fields of a request or an answer. Throws when the rule's expression is none. */
export function fieldsTest(match: FieldMatch): (fields: FieldBlock) => boolean {
  const { name, kind, value, invert, missingAsEmpty } = match;
  if (kind === 'exact' && !invert && !missingAsEmpty) return (fields) => fields.has(name, value);
  const test = valuesTest(match);
  return (fields) => test(fields.all(name));
}

/** Lines of one name are looked at one by one: any that fits suffices, and any defeats an inverted match (Envoy). */
function valuesTest({ invert, missingAsEmpty, ...match }: FieldMatch): (values: readonly string[]) => boolean {
  const test = textTest(match);
  return (values) => {
    if (values.length > 0) return values.some(test) !== invert;
    if (match.kind === 'present') return invert;
    // A field that is not there has no value to differ from another.
    return missingAsEmpty && test('') !== invert;
  };
}

function queryTest({ name, ...match }: QueryMatch): HeadTest {
  const test = textTest(match);
  return (head) => {
    const value = parameterOf(head.target, name);
    return value !== null && test(value);
  };
}
