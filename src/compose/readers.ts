import { RE2JS } from 're2js';
import { type Findings, suggestion } from './problems.js';
import type { YamlView } from './yaml-view.js';

/** Reads one value; undefined = it is not as it should be, and the problem has been told. */
export type Reader<T> = (view: YamlView, where: string, findings: Findings) => T | undefined;

/**
 * Reads a mapping of known keys. What is well is in the result; unknown keys and wrong values become problems, each at its
 * place.
 */
export function table<T extends object>(readers: { readonly [K in keyof T]-?: Reader<T[K]> }): Reader<Partial<T>> {
  return (view, where, findings) => {
    const result: Partial<T> = {};
    for (const { key, keySource, value } of view.entries(where)) {
      if (!Object.hasOwn(readers, key)) {
        findings.unknownKey(keySource, key, where, Object.keys(readers));
        continue;
      }
      const name = key as keyof T;
      const read = readers[name](value, `${where}.${key}`, findings);
      if (read !== undefined) result[name] = read;
    }
    return result;
  };
}

/** A mapping from names that the user chose. */
export function record<T>(reader: Reader<T>): Reader<Record<string, T>> {
  return (view, where, findings) => {
    const entries = view.entries(where).flatMap(({ key, value }) => {
      const read = reader(value, `${where}.${key}`, findings);
      return read === undefined ? [] : [[key, read] as const];
    });
    return Object.fromEntries(entries);
  };
}

export function list<T>(reader: Reader<T>): Reader<T[]> {
  return (view, where, findings) =>
    view.items(where).flatMap((item, i) => {
      const read = reader(item, `${where}[${i}]`, findings);
      return read === undefined ? [] : [read];
    });
}

export const text: Reader<string> = (view, where) => view.text(where) ?? undefined;

/** RE2's, as the sidecars obey them. */
export const expression: Reader<string> = (view, where, findings) => {
  const pattern = view.text(where);
  if (pattern === null) return undefined;
  try {
    RE2JS.compile(pattern);
    return pattern;
  } catch (error) {
    findings.problem(
      view.source,
      `${where} is no regular expression: ${error instanceof Error ? error.message : error}`,
      'RE2 syntax, without look-around and back-references',
    );
    return undefined;
  }
};

export const flag: Reader<boolean> = (view, where, findings) => {
  const word = view.text(where);
  if (word === 'true' || word === 'false') return word === 'true';
  if (word !== null) findings.problem(view.source, `${where} must be true or false`);
  return undefined;
};

export function whole(least: number, most: number): Reader<number> {
  return (view, where, findings) => {
    const number = view.number(where);
    if (number !== null && Number.isInteger(number) && number >= least && number <= most) return number;
    if (number !== null) findings.problem(view.source, `${where} must be a whole number from ${least} to ${most}`);
    return undefined;
  };
}

export function number(least: number, most: number): Reader<number> {
  return (view, where, findings) => {
    const value = view.number(where);
    if (value !== null && value >= least && value <= most) return value;
    if (value !== null) findings.problem(view.source, `${where} must be a number from ${least} to ${most}`);
    return undefined;
  };
}

/** `50` or `50%`. */
export const percent: Reader<number> = (view, where, findings) => {
  const match = /^(\d{1,3}(?:\.\d+)?)\s*%?$/.exec(view.text(where) ?? '');
  const value = match === null ? Number.NaN : Number(match[1]);
  if (value <= 100) return value;
  findings.problem(view.source, `${where} must be a share from 0 to 100`);
  return undefined;
};

const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** `250ms`, `3s`, `1.5m`: milliseconds. */
export const duration: Reader<number> = (view, where, findings) => {
  const written = view.text(where);
  const match = /^(\d{1,9}(?:\.\d+)?)(ms|s|m|h)$/.exec(written ?? '');
  if (match !== null) return Math.round(Number(match[1]) * (UNITS[match[2] as string] as number));
  if (written !== null) findings.problem(view.source, `${where} must be a duration`, 'such as 250ms or 3s');
  return undefined;
};

/** A duration of which `0s` means without end, as in Istio. */
export const limit: Reader<number | null> = (view, where, findings) => {
  const ms = duration(view, where, findings);
  return ms === 0 ? null : ms;
};

export function oneOf<const T extends string>(words: readonly T[]): Reader<T> {
  return (view, where, findings) => {
    const word = view.text(where);
    const known = words.find((candidate) => candidate === word);
    if (known === undefined && word !== null)
      findings.problem(view.source, `${where} must be ${words.join(' or ')}`, suggestion(word, words, 'known'));
    return known;
  };
}

/** What a reader makes of a value, as something else. */
export function map<A, B>(reader: Reader<A>, change: (value: A) => B): Reader<B> {
  return (view, where, findings) => {
    const value = reader(view, where, findings);
    return value === undefined ? undefined : change(value);
  };
}
