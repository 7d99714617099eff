import { isIP } from 'node:net';
import { fits, type LabelFilter } from '../../model/label-filter.js';
import { list, oneOf, type Read, type Reader, reader, record, table, tableWith, text } from '../../yaml/readers.js';
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
const cidr = reader<string>(textShape('an address or a range, such as 10.0.0.0/8'), (view, where, findings) => {
  const written = view.text(where);
  const [address = '', bits] = (written ?? '').split('/');
  const most = isIP(address) === 6 ? 128 : 32;
  const isRange = isIP(address) !== 0 && (bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) <= most));
  if (isRange || written === null) return written ?? undefined;
  findings.problem(
    view.source,
    `${where} must be an address or a range, and ${JSON.stringify(written)} is none`,
    '10.0.0.0/8',
  );
  return undefined;
});

export const networks = list(tableWith(['cidr'], { cidr, except: list(cidr) }));
export type Network = Read<typeof networks>[number];

/** A service account by name. */
export const accountRef = tableWith(['name'], { name: text, namespace: text });

export const empty = table({});

/** Kubernetes' label selector with its expressions: all of it must hold. Nothing said = everybody. */
export const podSelector = table({
  matchLabels: record(text),
  matchExpressions: list(
    tableWith(['key', 'operator'], {
      key: text,
      operator: oneOf(['In', 'NotIn', 'Exists', 'DoesNotExist']),
      values: list(text),
    }),
  ),
});
export type PodSelector = Read<typeof podSelector>;

/** What the expressions of a selector choose; undefined = they say nothing. A label that is missing is in no list. */
export function filterOf({ matchExpressions = [] }: PodSelector): LabelFilter | undefined {
  if (matchExpressions.length === 0) return undefined;
  return {
    kind: 'all',
    of: matchExpressions.map(({ key: label, operator, values = [] }): LabelFilter => {
      const within: LabelFilter = { kind: 'any', of: values.map((value) => ({ kind: 'equals', label, value })) };
      const present: LabelFilter = { kind: 'present', label };
      return {
        In: within,
        NotIn: { kind: 'not', of: within } as const,
        Exists: present,
        DoesNotExist: { kind: 'not', of: present } as const,
      }[operator];
    }),
  };
}

/** Whether labels are what a selector chooses. */
export function isChosen(selector: PodSelector, labels: Readonly<Record<string, string>>): boolean {
  const filter = filterOf(selector);
  const equal = Object.entries(selector.matchLabels ?? {}).every(([name, value]) => labels[name] === value);
  return equal && (filter === undefined || fits(filter, labels));
}

const SUFFIXES: Readonly<Record<string, number>> = { '': 1, m: 1e-3, k: 1e3, M: 1e6, G: 1e9 };

/** A quantity of Kubernetes, as far as weights are such: `1`, `0.5`, `500m`. */
export const quantity: Reader<number> = reader(textShape('a quantity, such as 1 or 500m'), (view, where, findings) => {
  const written = view.text(where);
  const match = /^(\d{1,12}(?:\.\d+)?)([mkMG]?)$/.exec(written ?? '');
  if (match !== null) return Number(match[1]) * (SUFFIXES[match[2] ?? ''] ?? 1);
  if (written !== null) findings.problem(view.source, `${where} must be a quantity`, 'such as 1 or 500m');
  return undefined;
});
