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
  if (methods.length > 0) tests.push((head) => methods.includes(head.method));
  const onPath = pathTest(path);
  if (onPath !== null) tests.push((head) => onPath(pathOf(head.target)));
  for (const match of fields) tests.push(fieldTest(match));
  for (const match of query) tests.push(queryTest(match));
  if (tests.length === 0) return () => true;
  if (tests.length === 1) return tests[0] as HeadTest;
  return (head) => tests.every((test) => test(head));
}

/** The target without its query. */
export function pathOf(target: string): string {
  const query = target.indexOf('?');
  return query < 0 ? target : target.slice(0, query);
}

/** Null = every path. */
function pathTest({ kind, value, ignoreCase }: PathMatch): TextTest | null {
  if (kind === 'regex') {
    const compiled = expression(value, ignoreCase ? RE2JS.CASE_INSENSITIVE : 0);
    return (path) => compiled.testExact(path);
  }
  if (value === '/' && kind !== 'exact') return null;
  const wanted = ignoreCase ? value.toLowerCase() : value;
  const test = kind === 'segments' ? segmentsTest(wanted) : textTest({ kind, value: wanted });
  return ignoreCase ? (path) => test(path.toLowerCase()) : test;
}

/** Gateway API: element by element; a slash at the end of the rule says nothing. */
function segmentsTest(prefix: string): TextTest {
  const bare = prefix.endsWith('/') ? prefix.slice(0, -1) : prefix;
  return (path) => path.startsWith(bare) && (path.length === bare.length || path[bare.length] === '/');
}

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
