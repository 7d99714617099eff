import { list, map, oneOf, type Reader, reader, table, tableWith, text, whole } from '../../yaml/readers.js';
import { textShape } from '../../yaml/shape.js';
import { durationMs, passed, portNumber } from '../words.js';

/** Readers of what the kinds of the Gateway API have in common. */

export const GROUP = 'gateway.networking.k8s.io';

/** GEP-2257: up to four whole numbers of h, m, s and ms. Milliseconds. */
export const duration: Reader<number> = reader(
  textShape('a duration, such as 500ms or 1m30s'),
  (view, where, findings) => {
    const written = view.text(where);
    if (written === null) return undefined;
    if (/^([0-9]{1,5}(h|m|s|ms)){1,4}$/.test(written)) return durationMs(written) ?? undefined;
    findings.problem(
      view.source,
      `${where} must be a duration, and ${JSON.stringify(written)} is none (GEP-2257)`,
      'whole numbers of h, m, s and ms, such as 500ms or 1m30s',
    );
    return undefined;
  },
);

/** A text of a pattern, as the CRDs demand it. */
export function pattern(wanted: RegExp, what: string, hint: string): Reader<string> {
  return reader(textShape(what), (view, where, findings) => {
    const written = view.text(where);
    if (written === null || wanted.test(written)) return written ?? undefined;
    findings.problem(view.source, `${where} must be ${what}, and ${JSON.stringify(written)} is none`, hint);
    return undefined;
  });
}

export const fieldName = pattern(/^[A-Za-z0-9!#$%&'*+\-.^_`|~]{1,256}$/, 'the name of a header', 'x-user');
const fieldValue = pattern(/^[\s\S]{1,4096}$/, 'a value of 1 to 4096 characters', 'to take a header away: remove');
export const hostName = pattern(
  /^(?=.{1,253}$)(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  'a host name in lower case, with *. before it at most',
  'shop.example.com or *.example.com',
);
export const preciseHostName = pattern(
  /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  'a host name in lower case',
  'shop.example.com',
);
export const sectionName = pattern(
  /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/,
  'a name in lower case',
  'letters, digits and dashes',
);

/** What a route is attached to. */
export const parentRef = tableWith(['name'], {
  group: text,
  kind: text,
  namespace: text,
  name: text,
  sectionName,
  port: portNumber(),
});

const objectFields = { group: text, kind: text, name: text, namespace: text, port: portNumber() };

/** A backend by its object; a Service unless it says otherwise. */
export const objectRef = tableWith(['name'], objectFields);
export const backendFields = { ...objectFields, weight: whole(0, 1_000_000) };

const field = tableWith(['name', 'value'], { name: fieldName, value: fieldValue });
export const fieldModifier = table({ set: list(field), add: list(field), remove: list(text) });

export const mirrorFilter = tableWith(['backendRef'], {
  backendRef: objectRef,
  percent: whole(0, 100),
  fraction: tableWith(['numerator'], {
    numerator: whole(0, 2_147_483_647),
    denominator: whole(1, 2_147_483_647),
  }),
});

/** By equality or, in full, by an RE2 expression. */
export const matchType = oneOf(['Exact', 'RegularExpression']);

export const fieldMatch = tableWith(['name', 'value'], { type: matchType, name: fieldName, value: text });

/** Known, and told of by a check of the whole route. */
export const noticed: Reader<true> = map(passed, () => true as const);
