import {
  expression,
  flag,
  list,
  oneOf,
  type Read,
  type Reader,
  reader,
  record,
  shapeOf,
  table,
  tableWith,
  text,
} from '../../yaml/readers.js';
import type { YamlEntry, YamlView } from '../../yaml/view.js';
import { goDuration } from '../words.js';

/** Readers of what Consul's kinds have in common. Config entries write `PathPrefix` or `path_prefix` where CRDs have `pathPrefix`. */

export const GROUP = 'consul.hashicorp.com';

/** `pathPrefix`, `PathPrefix` and `path_prefix` are one key. */
function bare(key: string): string {
  return key.replaceAll('_', '').toLowerCase();
}

type Readers<T> = Parameters<typeof table<T & object>>[0];

/** A table whose keys may be written in any of Consul's ways. */
export function anyCase<T extends object>(readers: Readers<T>): Reader<Partial<T>> {
  const inner = table<T>(readers as never);
  return reader(shapeOf(inner), (view, where, findings) => inner(renamed(view, Object.keys(readers)), where, findings));
}

/** The same where some keys must be there. */
export function anyCaseWith<T extends object, K extends keyof T & string>(
  required: readonly K[],
  readers: Readers<T>,
): Reader<Partial<T> & Pick<T, K>> {
  const inner = tableWith<T, K>(required, readers as never);
  return reader(shapeOf(inner), (view, where, findings) => inner(renamed(view, Object.keys(readers)), where, findings));
}

function renamed(view: YamlView, known: readonly string[]): YamlView {
  if (view.kind !== 'map') return view;
  const names = new Map(known.map((key) => [bare(key), key]));
  const rename = (entry: YamlEntry): YamlEntry => ({ ...entry, key: names.get(bare(entry.key)) ?? entry.key });
  return {
    source: view.source,
    kind: view.kind,
    scalar: view.scalar,
    entries: (what) => view.entries(what).map(rename),
    items: (what) => view.items(what),
    text: (what) => view.text(what),
    number: (what) => view.number(what),
    toldTo: (findings) => renamed(view.toldTo(findings), known),
  };
}

/** In Go an empty text is one that was not written. */
export function filled<T>(inner: Reader<T>): Reader<T> {
  return reader(shapeOf(inner), (view, where, findings) =>
    view.scalar === '' ? undefined : inner(view, where, findings),
  );
}

export const word = filled(text);
export const pattern = filled(expression);

export function wordOf<const T extends string>(words: readonly T[]): Reader<T> {
  return filled(oneOf(words));
}

/** A duration as Go writes it, or as its JSON does: nanoseconds. In ms. */
export const time: Reader<number> = reader(shapeOf(goDuration), (view, where, findings) =>
  typeof view.scalar === 'number' ? view.scalar / 1e6 : filled(goDuration)(view, where, findings),
);

/** What would be somewhere else, and is told; `here` is what the place where we are is called. */
function elsewhereThan(here: readonly string[]): Reader<string> {
  const why = 'there is one datacentre and one partition here';
  return reader<string>({ kind: 'unsupported', why }, (view, where, findings) => {
    if (typeof view.scalar === 'string' && here.includes(view.scalar)) return undefined;
    findings.unsupported(view.source, where, why);
    return typeof view.scalar === 'string' ? view.scalar : where;
  });
}

export const partition = elsewhereThan(['', 'default']);
export const datacenter = elsewhereThan(['', 'dc1']);
export const elsewhere = elsewhereThan(['']);

export const headerChanges = anyCase<{ add: Record<string, string>; set: Record<string, string>; remove: string[] }>({
  add: record(text),
  set: record(text),
  remove: list(text),
});

export type HeaderChanges = Read<typeof headerChanges>;

interface HeaderWords {
  name: string;
  present: boolean;
  exact: string;
  prefix: string;
  suffix: string;
  contains: string;
  regex: string;
  invert: boolean;
  ignoreCase: boolean;
}

/** One header of a match; a mapping with its name beside what it must be. */
export const headerMatch = anyCaseWith<HeaderWords, 'name'>(['name'], {
  name: word,
  present: flag,
  exact: word,
  prefix: word,
  suffix: word,
  contains: word,
  regex: pattern,
  invert: flag,
  ignoreCase: flag,
});

export type HeaderMatch = Read<typeof headerMatch>;
