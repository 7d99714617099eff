import { RE2JS } from 're2js';
import type { SourceRef } from '../model/source.js';
import { locate } from './positions.js';
import { type Findings, suggestion } from './problems.js';
import { ANY, type Shape, textShape } from './shape.js';
import { mapView, type YamlView } from './view.js';

/**
 * Reads one value; undefined = it is not as it should be, and the problem has been told. What it takes stands in its
 * `shape`.
 */
export interface Reader<T> {
  (view: YamlView, where: string, findings: Findings): T | undefined;
  readonly shape?: Shape;
}

/** What a reader makes. */
export type Read<R> = R extends Reader<infer T> ? T : never;

export function shapeOf(reader: Reader<unknown>): Shape {
  return reader.shape ?? ANY;
}

export function reader<T>(
  shape: Shape,
  read: (view: YamlView, where: string, findings: Findings) => T | undefined,
): Reader<T> {
  return Object.assign(read, { shape });
}

type Readers<T> = { readonly [K in keyof T]-?: Reader<T[K]> };

/**
 * Reads a mapping of known keys. What is well is in the result, with its place ({@link sourceOf}); unknown keys and wrong
 * values become problems, each at its place. `null` is as if not written.
 */
export function table<T extends object>(readers: Readers<T>): Reader<Partial<T>> {
  const fields = Object.fromEntries(
    Object.entries(readers).map(([key, field]) => [key, shapeOf(field as Reader<unknown>)]),
  );
  return reader({ kind: 'table', fields, required: [] }, (view, where, findings) => {
    if (view.kind !== 'map' && view.kind !== 'null') {
      view.entries(where);
      return undefined;
    }
    const result: Partial<T> = {};
    const parts = new Map<string, SourceRef>();
    for (const { key, keySource, value } of view.entries(where)) {
      if (!Object.hasOwn(readers, key)) {
        findings.unknownKey(keySource, key, where, Object.keys(readers));
        continue;
      }
      if (value.kind === 'null') continue;
      const name = key as keyof T;
      const read = readers[name](value, where === '' ? key : `${where}.${key}`, findings);
      parts.set(key, keySource);
      if (read !== undefined) result[name] = read;
    }
    return locate(result, view.source, parts);
  });
}

/** A table of which only some keys are looked at; whatever else it holds is somebody else's affair. */
export function openTable<T extends object>(readers: Readers<T>): Reader<Partial<T>> {
  const inner = table<T>(readers);
  return reader(shapeOf(inner), (view, where, findings) =>
    inner(onlyKeys(view, new Set(Object.keys(readers))), where, findings),
  );
}

function onlyKeys(view: YamlView, keys: ReadonlySet<string>): YamlView {
  return view.kind === 'map' ? mapView(view, ({ key }) => keys.has(key)) : view;
}

/** A table some of whose keys must be there. */
export function tableWith<T extends object, K extends keyof T & string>(
  required: readonly K[],
  readers: Readers<T>,
): Reader<Partial<T> & Pick<T, K>> {
  const inner = table<T>(readers);
  const { fields } = inner.shape as Shape & { kind: 'table' };
  return reader({ kind: 'table', fields, required }, (view, where, findings) => {
    const before = findings.problems.length;
    const read = inner(view, where, findings);
    if (read === undefined) return undefined;
    const missing = required.filter((key) => read[key] === undefined);
    // One that was written wrongly has been told already.
    if (missing.length > 0 && findings.problems.length === before)
      for (const key of missing)
        findings.problem(view.source, `${where === '' ? 'it' : where} has no ${key}`, `${key}: …`);
    return missing.length > 0 ? undefined : (read as Partial<T> & Pick<T, K>);
  });
}

/** A mapping from names that the user chose. */
export function record<T>(of: Reader<T>): Reader<Record<string, T>> {
  return reader({ kind: 'record', of: shapeOf(of) }, (view, where, findings) => {
    const parts = new Map<string, SourceRef>();
    const entries = view.entries(where).flatMap(({ key, keySource, value }) => {
      const read = of(value, `${where}.${key}`, findings);
      parts.set(key, keySource);
      return read === undefined ? [] : [[key, read] as const];
    });
    return locate(Object.fromEntries(entries), view.source, parts);
  });
}

export function list<T>(of: Reader<T>): Reader<T[]> {
  return reader({ kind: 'list', of: shapeOf(of) }, (view, where, findings) => {
    const parts = new Map<number, SourceRef>();
    const items: T[] = [];
    for (const [i, item] of view.items(where).entries()) {
      const read = of(item, `${where}[${i}]`, findings);
      if (read === undefined) continue;
      parts.set(items.length, item.source);
      items.push(read);
    }
    return locate(items, view.source, parts);
  });
}

export const text: Reader<string> = reader(textShape(), (view, where) => view.text(where) ?? undefined);

/** Any value, unread. */
export const anything: Reader<true> = reader<true>(ANY, () => true);

/** A field that is known and not obeyed: it is told, with the reason. */
export function unsupported(why: string): Reader<never> {
  return reader<never>({ kind: 'unsupported', why }, (view, where, findings) => {
    if (view.kind !== 'null') findings.unsupported(view.source, where, why);
    return undefined;
  });
}

/**
 * A field that is known and not obeyed, whose value is looked at all the same, to tell what is wrong with it, and to be
 * silent about what comes to the same without it.
 */
export function unobeyed<T>(why: string, of: Reader<T>, matters?: (value: T) => boolean): Reader<T> {
  return reader<T>({ kind: 'unsupported', why }, (view, where, findings) => {
    if (view.kind === 'null') return undefined;
    const value = of(view, where, findings);
    const counts = matters === undefined || (value !== undefined && matters(value));
    if (counts) findings.unsupported(view.source, where, why);
    return value;
  });
}

/** A field that is obeyed but for what some values say: these are told, with the reason. */
export function toldWhere<T>(of: Reader<T>, why: (value: T) => string | null): Reader<T> {
  return reader<T>(shapeOf(of), (view, where, findings) => {
    const value = of(view, where, findings);
    const reason = value === undefined ? null : why(value);
    if (reason !== null) findings.unsupported(view.source, where, reason);
    return value;
  });
}

/** Expressions that were found good: the same one often stands in many rules. */
const good = new Set<string>();
const MOST_GOOD = 1_000;

/** RE2's, as the sidecars obey them. */
export const expression: Reader<string> = reader(textShape('an RE2 expression'), (view, where, findings) => {
  const pattern = view.text(where);
  if (pattern === null) return undefined;
  if (good.has(pattern)) return pattern;
  try {
    RE2JS.compile(pattern);
    if (good.size >= MOST_GOOD) good.clear();
    good.add(pattern);
    return pattern;
  } catch (error) {
    findings.problem(
      view.source,
      `${where} is no regular expression: ${error instanceof Error ? error.message : error}`,
      'RE2 syntax, without look-around and back-references',
    );
    return undefined;
  }
});

export const flag: Reader<boolean> = reader({ kind: 'flag' }, (view, where, findings) => {
  const word = view.text(where);
  if (word === 'true' || word === 'false') return word === 'true';
  if (word !== null) findings.problem(view.source, `${where} must be true or false`);
  return undefined;
});

/** A flag whose `true` is not obeyed. */
export function unobeyedFlag(why: string): Reader<boolean> {
  return unobeyed(why, flag, (set) => set);
}

export function whole(least: number, most: number): Reader<number> {
  return reader({ kind: 'number', whole: true, least, most }, (view, where, findings) => {
    const number = view.number(where);
    if (number !== null && Number.isInteger(number) && number >= least && number <= most) return number;
    if (number !== null) findings.problem(view.source, `${where} must be a whole number from ${least} to ${most}`);
    return undefined;
  });
}

export function number(least: number, most: number): Reader<number> {
  return reader({ kind: 'number', whole: false, least, most }, (view, where, findings) => {
    const value = view.number(where);
    if (value !== null && value >= least && value <= most) return value;
    if (value !== null) findings.problem(view.source, `${where} must be a number from ${least} to ${most}`);
    return undefined;
  });
}

/** `50` or `50%`. */
export const percent: Reader<number> = reader(textShape('50 or 50%'), (view, where, findings) => {
  const match = /^(\d{1,3}(?:\.\d+)?)\s*%?$/.exec(view.text(where) ?? '');
  const value = match === null ? Number.NaN : Number(match[1]);
  if (value <= 100) return value;
  findings.problem(view.source, `${where} must be a share from 0 to 100`);
  return undefined;
});

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `250ms`, `3s`, `1.5m`: milliseconds. */
export const duration: Reader<number> = reader(
  textShape('a duration, such as 250ms or 3s'),
  (view, where, findings) => {
    const written = view.text(where);
    const match = /^(\d{1,9}(?:\.\d+)?)(ms|s|m|h)$/.exec(written ?? '');
    if (match !== null) return Math.round(Number(match[1]) * (UNITS[match[2] as string] as number));
    if (written !== null) findings.problem(view.source, `${where} must be a duration`, 'such as 250ms or 3s');
    return undefined;
  },
);

/** A duration of which `0s` means without end, as in Istio. */
export const limit: Reader<number | null> = reader(textShape('a duration; 0s = none'), (view, where, findings) => {
  const ms = duration(view, where, findings);
  return ms === 0 ? null : ms;
});

export function oneOf<const T extends string>(words: readonly T[]): Reader<T> {
  return reader(textShape('', words), (view, where, findings) => {
    const word = view.text(where);
    const known = words.find((candidate) => candidate === word);
    if (known === undefined && word !== null)
      findings.problem(view.source, `${where} must be ${words.join(' or ')}`, suggestion(word, words, 'known'));
    return known;
  });
}

/** What a reader makes of a value, as something else. */
export function map<A, B>(inner: Reader<A>, change: (value: A) => B): Reader<B> {
  return reader(shapeOf(inner), (view, where, findings) => {
    const value = inner(view, where, findings);
    return value === undefined ? undefined : change(value);
  });
}
