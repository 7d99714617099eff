import { literally, wildcardMatch } from '../../model/access-match.js';
import type { AccessCondition, AccessMatch, AccessSubject } from '../../model/authorization.js';
import type { AuthorizationCondition, AuthorizationOperation, AuthorizationSource } from './authorization-policy.js';

/** What a field or key is about, and what each of its values means. `namespace` = the policy's own. */
interface Meaning {
  readonly subject: AccessSubject;
  readonly match: (value: string, namespace: string) => AccessMatch;
}

const PRINCIPAL: Meaning = { subject: { kind: 'principal' }, match: wildcardMatch };
/** The star of a namespace may stand anywhere, and runs on to the next `/` that fits (observed). */
const NAMESPACE: Meaning = {
  subject: { kind: 'principal' },
  match: (value) => ({ kind: 'regex', value: `.*/ns/${withStars(value)}/.*` }),
};
/** `NAME` of the policy's namespace, or `NAMESPACE/NAME`. */
const SERVICE_ACCOUNT: Meaning = {
  subject: { kind: 'principal' },
  match: (value, namespace) => {
    const [where = '', name = ''] = value.includes('/') ? value.split('/') : [namespace, value];
    return { kind: 'regex', value: `[^/]+/ns/${literally(where)}/sa/${literally(name)}` };
  },
};
const TRUST_DOMAIN: Meaning = {
  subject: { kind: 'principal' },
  match: (value) => ({ kind: 'regex', value: `${withStars(value)}/.*` }),
};
const REQUEST_PRINCIPAL: Meaning = {
  subject: { kind: 'request-principal' },
  match: (value) => ({ kind: 'token', value }),
};
const PEER: Meaning = { subject: { kind: 'peer-address' }, match: range };
const REMOTE: Meaning = { subject: { kind: 'remote-address' }, match: range };
const HOST: Meaning = { subject: { kind: 'host' }, match: (value) => wildcardMatch(value.toLowerCase()) };
const PORT: Meaning = { subject: { kind: 'port' }, match: (value) => ({ kind: 'exact', value }) };
const METHOD: Meaning = { subject: { kind: 'method' }, match: wildcardMatch };
const PATH: Meaning = {
  subject: { kind: 'path' },
  match: (value) => (/\{\*\*?\}/.test(value) ? { kind: 'template', value } : wildcardMatch(value)),
};

const SOURCE_FIELDS: readonly (readonly [keyof AuthorizationSource & string, string, Meaning])[] = [
  ['principals', 'notPrincipals', PRINCIPAL],
  ['requestPrincipals', 'notRequestPrincipals', REQUEST_PRINCIPAL],
  ['namespaces', 'notNamespaces', NAMESPACE],
  ['serviceAccounts', 'notServiceAccounts', SERVICE_ACCOUNT],
  ['trustDomains', 'notTrustDomains', TRUST_DOMAIN],
  ['ipBlocks', 'notIpBlocks', PEER],
  ['remoteIpBlocks', 'notRemoteIpBlocks', REMOTE],
];

const OPERATION_FIELDS: readonly (readonly [keyof AuthorizationOperation & string, string, Meaning])[] = [
  ['hosts', 'notHosts', HOST],
  ['ports', 'notPorts', PORT],
  ['methods', 'notMethods', METHOD],
  ['paths', 'notPaths', PATH],
];

const KEYS: Readonly<Record<string, Meaning | undefined>> = {
  'source.ip': PEER,
  'remote.ip': REMOTE,
  'source.namespace': NAMESPACE,
  'source.serviceAccount': SERVICE_ACCOUNT,
  'source.trustDomain': TRUST_DOMAIN,
  'source.principal': PRINCIPAL,
  'request.auth.principal': REQUEST_PRINCIPAL,
  'request.auth.audiences': claim(['aud']),
  'request.auth.presenter': claim(['azp']),
  'destination.ip': { subject: { kind: 'own-address' }, match: range },
  'destination.port': PORT,
  'connection.sni': { subject: { kind: 'server-name' }, match: (value) => wildcardMatch(value.toLowerCase()) },
};

/** Keys of conditions that stand alone, for whoever misspells one. */
export const CONDITION_KEYS: readonly string[] = [...Object.keys(KEYS), 'request.headers[…]', 'request.auth.claims[…]'];

/** Metadata of Envoy's filters, which do not run here: no request has any, so that such a condition is never met. */
export function isExperimental(key: string): boolean {
  return key.startsWith('experimental.');
}

const EXPERIMENTAL: Meaning = {
  subject: { kind: 'claim', path: [] },
  match: (value) => ({ kind: 'exact', value }),
};

/** What the key of a condition is about; null = no such key. */
export function subjectOfKey(key: string): AccessSubject | null {
  return meaningOf(key)?.subject ?? null;
}

function meaningOf(key: string): Meaning | null {
  if (isExperimental(key)) return EXPERIMENTAL;
  if (Object.hasOwn(KEYS, key)) return KEYS[key] ?? null;
  const header = /^request\.headers\[([^\]]+)\]$/.exec(key)?.[1];
  if (header !== undefined) return { subject: { kind: 'header', name: header.toLowerCase() }, match: wildcardMatch };
  const claims = /^request\.auth\.claims((?:\[[^\]]+\])+)$/.exec(key)?.[1];
  return claims === undefined ? null : claim(claims.slice(1, -1).split(']['));
}

function claim(path: readonly string[]): Meaning {
  return { subject: { kind: 'claim', path }, match: wildcardMatch };
}

/** Fields of one source, all of which must hold. */
export function sourceConditions(source: AuthorizationSource, namespace: string): AccessCondition[] {
  return fieldConditions(source, SOURCE_FIELDS, namespace);
}

/** Fields of one operation, all of which must hold. */
export function operationConditions(operation: AuthorizationOperation, namespace: string): AccessCondition[] {
  return fieldConditions(operation, OPERATION_FIELDS, namespace);
}

/** An empty list is as if not written (observed). */
function fieldConditions<T extends object>(
  holder: T,
  fields: readonly (readonly [string, string, Meaning])[],
  namespace: string,
): AccessCondition[] {
  const written = holder as Readonly<Record<string, readonly string[] | undefined>>;
  return fields.flatMap(([yes, no, meaning]) => [
    ...conditionOf(yes, written[yes], meaning, { not: false, namespace }),
    ...conditionOf(no, written[no], meaning, { not: true, namespace }),
  ]);
}

/** Both lists of a condition must hold. */
export function keyConditions(
  { key, values, notValues }: AuthorizationCondition,
  namespace: string,
): AccessCondition[] {
  const meaning = meaningOf(key);
  if (meaning === null) return [];
  return [
    ...conditionOf(key, values, meaning, { not: false, namespace }),
    ...conditionOf(`${key} not`, notValues, meaning, { not: true, namespace }),
  ];
}

function conditionOf(
  label: string,
  values: readonly string[] | undefined,
  { subject, match }: Meaning,
  { not, namespace }: { readonly not: boolean; readonly namespace: string },
): AccessCondition[] {
  if (values === undefined || values.length === 0) return [];
  return [
    { subject, values: values.map((value) => match(value, namespace)), not, text: `${label}: ${values.join(', ')}` },
  ];
}

function range(value: string): AccessMatch {
  return { kind: 'range', value };
}

function withStars(value: string): string {
  return value.split('*').map(literally).join('.*');
}
