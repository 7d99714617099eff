import { list, oneOf, type Read, table, tableWith, text } from '../../yaml/readers.js';

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
