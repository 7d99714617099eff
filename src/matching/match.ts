import { RE2JS } from 're2js';
import type { FieldMatch, PathMatch, QueryMatch, RouteMatch, TextMatch } from '../model/route.js';
import { parameterOf } from './query.js';
import { expression, type TextTest, textTest } from './text.js';

/** The fields of a message: lower-case names, each line by itself. */
export interface Fields {
  has(name: string, value: string): boolean;
  all(name: string): readonly string[];
  get(name: string): string | undefined;
}

/** What of a request rules are about: one that is under way, or one that is only described. */
export interface Subject {
  readonly method: string;
  /** Origin form, canonical. */
  readonly target: string;
  /** Authority. */
  readonly host: string;
  readonly fields: Fields;
}

export type HeadTest = (head: Subject) => boolean;

/**
 * What tells whether a request is a route's, made once per configuration. Only parts that say anything are asked, the
 * cheap ones first. Throws when an expression of the rule is none.
 */
export function headTest({ path, methods, fields, query }: RouteMatch): HeadTest {
  const tests = conditionsOf({ path, methods, fields, query }).map(({ test }) => test);
  // One call inside the other, each test with its own rest: what fails first ends it.
  return (
    tests.reduceRight<HeadTest | null>(
      (rest, test) => (rest === null ? test : (head) => test(head) && rest(head)),
      null,
    ) ?? (() => true)
  );
}

/** One part of a match that must hold. */
export interface Condition {
  /** What it wants, for a sentence: `the path to begin with /v2`. */
  readonly wants: string;
  readonly test: HeadTest;
  /** What a request has instead: `/v1/x`. */
  readonly has: (subject: Subject) => string;
}

/** The parts of a match that say anything, in the order in which they are asked. */
export function conditionsOf({ path, methods, fields, query }: RouteMatch): Condition[] {
  const onTarget = targetTest(path);
  const onPath: Condition[] =
    onTarget === null
      ? []
      : [
          {
            wants: `the path to ${pathWords(path)}`,
            test: (head) => onTarget(head.target),
            has: (head) => pathOf(head.target),
          },
        ];
  const onMethod: Condition[] =
    methods.length === 0
      ? []
      : [
          {
            wants: `the method to be ${methods.join(' or ')}`,
            test: (head) => methods.includes(head.method),
            has: (head) => head.method,
          },
        ];
  return [
    ...onPath,
    ...onMethod,
    ...fields.map((match) => ({ wants: fieldWords(match), test: fieldTest(match), has: fieldValue(match.name) })),
    ...query.map((match) => ({
      wants: `the query parameter ${match.name} to ${textWords(match)}`,
      test: queryTest(match),
      has: (head: Subject) => parameterOf(head.target, match.name) ?? 'none',
    })),
  ];
}

function pathWords({ kind, value, ignoreCase }: PathMatch): string {
  const anyCase = ignoreCase ? ' in any case' : '';
  switch (kind) {
    case 'exact':
      return `be ${value}${anyCase}`;
    case 'prefix':
      return `begin with ${value}${anyCase}`;
    case 'segments':
      return `be ${value} or below it${anyCase}`;
    case 'regex':
      return `match ${value}`;
  }
}

function textWords({ kind, value }: TextMatch): string {
  switch (kind) {
    case 'exact':
      return `be ${JSON.stringify(value)}`;
    case 'prefix':
      return `begin with ${JSON.stringify(value)}`;
    case 'suffix':
      return `end with ${JSON.stringify(value)}`;
    case 'contains':
      return `contain ${JSON.stringify(value)}`;
    case 'regex':
      return `match ${value}`;
    case 'present':
      return 'be there';
  }
}

function fieldWords(match: FieldMatch): string {
  const not = match.invert ? 'not ' : '';
  return `the header ${match.name} ${not}to ${textWords(match)}`;
}

function fieldValue(name: string): (subject: Subject) => string {
  const pseudo = PSEUDO_FIELDS.get(name);
  return (subject) => {
    const values = pseudo === undefined ? subject.fields.all(name) : [pseudo(subject)];
    return values.length === 0 ? 'none' : values.map((value) => JSON.stringify(value)).join(' and ');
  };
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
export const PSEUDO_FIELDS: ReadonlyMap<string, (head: Subject) => string> = new Map([
  ['host', ({ host }: Subject) => host],
  [':authority', ({ host }) => host],
  [':method', ({ method }) => method],
  [':path', ({ target }) => target],
  // What a caller in front of the app says of its own connection, as Envoy takes it.
  [':scheme', ({ fields }) => (fields.get('x-forwarded-proto')?.toLowerCase() === 'https' ? 'https' : 'http')],
]);

function fieldTest(match: FieldMatch): HeadTest {
  const pseudo = PSEUDO_FIELDS.get(match.name);
  if (pseudo === undefined) {
    const test = fieldsTest(match);
    return (head) => test(head.fields);
  }
  const test = valuesTest(match);
  return (head) => test([pseudo(head)]);
}

/** A test of the fields of a request or an answer. Throws when the rule's expression is none. */
export function fieldsTest(match: FieldMatch): (fields: Fields) => boolean {
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
