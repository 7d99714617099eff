import {
  flag,
  list,
  type Read,
  type Reader,
  reader,
  record,
  shapeOf,
  table,
  tableWith,
  text,
  unsupported,
} from '../../yaml/readers.js';
import type { YamlEntry, YamlView } from '../../yaml/view.js';

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
  name: text,
  present: flag,
  exact: text,
  prefix: text,
  suffix: text,
  contains: text,
  regex: text,
  invert: flag,
  ignoreCase: unsupported('header values are compared as they are'),
});

export type HeaderMatch = Read<typeof headerMatch>;

/** What another datacentre or partition would be: there is one of each here. */
export const elsewhere = unsupported('there is one datacentre and one partition here');
