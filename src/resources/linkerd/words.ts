import { list, oneOf, type Read, type Reader, reader, table, tableWith, text } from '../../yaml/readers.js';
import { textShape } from '../../yaml/shape.js';

/** Readers of what Linkerd's kinds have in common (linkerd2 charts/linkerd-crds). */

export const POLICY_GROUP = 'policy.linkerd.io';

/** A reference to another object, in the own namespace unless it says otherwise. */
export const reference = tableWith(['kind', 'name'], { group: text, kind: text, name: text, namespace: text });
export type Reference = Read<typeof reference>;

/** Who is let in where no authorization is about a call. */
export const INBOUND_POLICIES = [
  'deny',
  'audit',
  'all-unauthenticated',
  'all-authenticated',
  'cluster-unauthenticated',
  'cluster-authenticated',
] as const;
export type InboundPolicy = (typeof INBOUND_POLICIES)[number];

export const inboundPolicy = oneOf(INBOUND_POLICIES);

/** Addresses, and those of them that are not meant. */
export const networks = list(tableWith(['cidr'], { cidr: text, except: list(text) }));
export type Network = Read<typeof networks>[number];

/** A service account by name. */
export const accountRef = tableWith(['name'], { name: text, namespace: text });

export const empty = table({});

const SUFFIXES: Readonly<Record<string, number>> = { '': 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9 };

/** A quantity of Kubernetes, as far as weights are such: `1`, `0.5`, `500m`. */
export const quantity: Reader<number> = reader(textShape('a quantity, such as 1 or 500m'), (view, where, findings) => {
  const written = view.text(where);
  const match = /^(\d{1,12}(?:\.\d+)?)([mkMG]?)$/.exec(written ?? '');
  if (match !== null) return Number(match[1]) * (SUFFIXES[match[2] ?? ''] ?? 1);
  if (written !== null) findings.problem(view.source, `${where} must be a quantity`, 'such as 1 or 500m');
  return undefined;
});
