import { flag, list, type Read, table, tableWith, text } from '../../yaml/readers.js';
import { accountRef, networks, podSelector, reference } from './words.js';

/** Who may call a Server, a route, or every Server of a namespace: who meets all of the authentications. */
export const linkerdAuthorizationPolicy = tableWith(['targetRef', 'requiredAuthenticationRefs'], {
  targetRef: reference,
  requiredAuthenticationRefs: list(reference),
});
export type LinkerdAuthorizationPolicy = Read<typeof linkerdAuthorizationPolicy>;

const meshTls = table({
  unauthenticatedTLS: flag,
  identities: list(text),
  serviceAccounts: list(accountRef),
});
const client = table({ networks, unauthenticated: flag, meshTLS: meshTls });
const byNameOrLabels = table({ name: text, selector: podSelector });

/** The older kind: Servers by name or labels, and their clients. */
export const serverAuthorization = tableWith(['server', 'client'], { server: byNameOrLabels, client });
export type ServerAuthorization = Read<typeof serverAuthorization>;
