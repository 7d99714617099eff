import type { FieldMatch, PathMatch, QueryMatch, RouteMatch, TextMatch } from '../model/route.js';
import { expression, flag, list, map, type Reader, reader, record, shapeOf, table, text } from './readers.js';
import { textShape } from './shape.js';

/** What requests a rule of our own kinds and of `x-mesh` is about, in short words. */

/** A mapping of exactly one of these keys. */
export function oneKey<T>(readers: Readonly<Record<string, Reader<T>>>): Reader<T> {
  const fields = Object.fromEntries(Object.entries(readers).map(([key, of]) => [key, shapeOf(of)]));
  return reader({ kind: 'table', fields, required: [], one: true }, (view, where, findings) => {
    const entries = view.entries(where);
    const [entry] = entries;
    if (entry === undefined || entries.length > 1) {
      findings.problem(view.source, `${where} must have one of ${Object.keys(readers).join(', ')}`);
      return undefined;
    }
    const of = Object.hasOwn(readers, entry.key) ? readers[entry.key] : undefined;
    if (of !== undefined) return of(entry.value, `${where}.${entry.key}`, findings);
    findings.unknownKey(entry.keySource, entry.key, where, Object.keys(readers));
    return undefined;
  });
}

/** One of two ways to write a thing: a mapping, or anything shorter. */
export function shortOr<T>(short: Reader<T>, long: Reader<T>): Reader<T> {
  return reader({ kind: 'either', of: [shapeOf(short), shapeOf(long)] }, (view, where, findings) =>
    (view.kind === 'map' ? long : short)(view, where, findings),
  );
}

/** A text that must be met exactly, or `{ prefix: … }` and its kin. */
export const readTextMatch: Reader<TextMatch> = shortOr<TextMatch>(
  map(text, (value) => ({ kind: 'exact', value })),
  oneKey<TextMatch>({
    exact: map(text, (value) => ({ kind: 'exact', value })),
    prefix: map(text, (value) => ({ kind: 'prefix', value })),
    suffix: map(text, (value) => ({ kind: 'suffix', value })),
    contains: map(text, (value) => ({ kind: 'contains', value })),
    regex: map(expression, (value) => ({ kind: 'regex', value })),
    present: map(flag, () => ({ kind: 'present', value: '' })),
  }),
);

const fieldMatches = (invert: boolean): Reader<FieldMatch[]> =>
  map(record(readTextMatch), (found) =>
    Object.entries(found).map(([name, match]) => ({
      ...match,
      name: name.toLowerCase(),
      invert,
      missingAsEmpty: invert && match.kind !== 'present',
    })),
  );

/** A text, or a list of them. */
export const texts: Reader<string[]> = reader(
  { kind: 'either', of: [shapeOf(text), shapeOf(list(text))] },
  (view, where, findings) =>
    view.kind === 'list' ? list(text)(view, where, findings) : map(text, (one) => [one])(view, where, findings),
);

interface MatchWords {
  path: string;
  prefix: string;
  segments: string;
  regex: string;
  ignoreCase: boolean;
  method: string[];
  headers: FieldMatch[];
  withoutHeaders: FieldMatch[];
  query: QueryMatch[];
}

export const readPath: Reader<string> = reader(textShape('a path'), (view, where, findings) => {
  const path = view.text(where);
  if (path?.startsWith('/')) return path;
  if (path !== null) findings.problem(view.source, `${where} must begin with /`);
  return undefined;
});

export const readMatch: Reader<RouteMatch> = map(
  table<MatchWords>({
    path: readPath,
    prefix: readPath,
    segments: readPath,
    regex: expression,
    ignoreCase: flag,
    method: texts,
    headers: fieldMatches(false),
    withoutHeaders: fieldMatches(true),
    query: map(record(readTextMatch), (found) => Object.entries(found).map(([name, match]) => ({ ...match, name }))),
  }),
  (read): RouteMatch => ({
    path: pathOf(read),
    methods: read.method ?? [],
    fields: [...(read.headers ?? []), ...(read.withoutHeaders ?? [])],
    query: read.query ?? [],
  }),
);

function pathOf({ path, segments, regex, prefix, ignoreCase = false }: Partial<MatchWords>): PathMatch {
  if (path !== undefined) return { kind: 'exact', value: path, ignoreCase };
  if (segments !== undefined) return { kind: 'segments', value: segments, ignoreCase };
  if (regex !== undefined) return { kind: 'regex', value: regex, ignoreCase };
  return { kind: 'prefix', value: prefix ?? '/', ignoreCase };
}
