import type { FieldMatch, PathMatch, QueryMatch, TextMatch } from '../../model/route.js';
import { expression, type Read, type Reader, reader, shapeOf, table, text } from '../../yaml/readers.js';
import { textShape } from '../../yaml/shape.js';

/** An expression, or `*` for "is there" where that is meant. */
const regexOrStar = reader<string>(textShape('an RE2 expression'), (view, where, findings) =>
  view.scalar === '*' ? '*' : expression(view, where, findings),
);

const words = { exact: text, prefix: text };

function oneWay<T extends object>(inner: Reader<T>): Reader<T> {
  return reader(shapeOf(inner), (view, where, findings) => {
    const read = inner(view, where, findings);
    const ways = read === undefined ? [] : Object.keys(read);
    if (ways.length > 1)
      findings.problem(
        view.source,
        `${where} compares in one way, and not by ${ways.join(' and ')}`,
        'keep one of them',
      );
    return read;
  });
}

/** Istio's StringMatch: one of `exact`, `prefix`, `regex`; nothing = is there. */
export const stringMatch = oneWay(table({ ...words, regex: expression }));
/** The same for `withoutHeaders`, where `regex: "*"` means "is there". */
export const absentMatch = oneWay(table({ ...words, regex: regexOrStar }));

export type StringMatch = Read<typeof stringMatch>;

export function textMatchOf({ exact, prefix, regex }: StringMatch): TextMatch {
  if (exact !== undefined) return { kind: 'exact', value: exact };
  if (prefix !== undefined) return { kind: 'prefix', value: prefix };
  if (regex !== undefined && regex !== '*') return { kind: 'regex', value: regex };
  return { kind: 'present', value: '' };
}

export function headerMatchOf(name: string, match: StringMatch): FieldMatch {
  return { ...textMatchOf(match), name: name.toLowerCase(), invert: false, missingAsEmpty: false };
}

/** A field that is missing counts as empty, unless the rule is about its presence. */
export function absentHeaderOf(name: string, match: StringMatch): FieldMatch {
  const test = textMatchOf(match);
  return { ...test, name: name.toLowerCase(), invert: true, missingAsEmpty: test.kind !== 'present' };
}

export function queryMatchOf(name: string, match: StringMatch): QueryMatch {
  return { ...textMatchOf(match), name };
}

/** Every path, or what `uri` says; case is ignored in texts, never in expressions (observed). */
export function pathMatchOf(uri: StringMatch | undefined, ignoreCase: boolean): PathMatch {
  if (uri?.exact !== undefined) return { kind: 'exact', value: uri.exact, ignoreCase };
  if (uri?.regex !== undefined) return { kind: 'regex', value: uri.regex, ignoreCase: false };
  return { kind: 'prefix', value: uri?.prefix ?? '/', ignoreCase: uri?.prefix !== undefined && ignoreCase };
}
