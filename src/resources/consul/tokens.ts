import type { AccessConditions, TokenRule } from '../../model/authorization.js';
import { DEFAULT_TOKEN_PLACES } from '../../model/authorization.js';
import { READING } from '../../model/finding.js';
import { objectName, ROOT_NAMESPACE, type TokenPolicy } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import { anything, flag, list, type Read, text, unsupported, whole } from '../../yaml/readers.js';
import { keysOf } from '../jwks.js';
import { ofKind, type Report, type Resource } from '../resource.js';
import type { IntentionToken, ServiceIntentions } from './defaults.js';
import { destinationOf } from './destination.js';
import { anyCase, word } from './words.js';

/**
 * JWTProvider: whose tokens intentions may ask for. A token is never refused by itself, since Consul's intentions decide
 * what becomes of a caller who has none or a bad one (consul `agent/xds/jwt_authn.go`).
 */

const location = anyCase<{
  header: { name?: string; valuePrefix?: string; forward?: boolean };
  queryParam: { name?: string };
  cookie: { name?: string };
}>({
  header: anyCase<{ name: string; valuePrefix: string; forward: boolean }>({
    name: word,
    valuePrefix: text,
    forward: flag,
  }),
  queryParam: anyCase<{ name: string }>({ name: word }),
  cookie: anyCase<{ name: string }>({ name: word }),
});

export const jwtProvider = anyCase<{
  issuer: string;
  audiences: string[];
  jsonWebKeySet: { local?: { jwks?: string; filename?: never }; remote?: never };
  locations: Read<typeof location>[];
  forwarding: { headerName?: string; padForwardPayloadHeader?: boolean };
  clockSkewSeconds: number;
  cacheConfig: true;
}>({
  issuer: word,
  audiences: list(text),
  jsonWebKeySet: anyCase<{ local: { jwks?: string; filename?: never }; remote: never }>({
    local: anyCase<{ jwks: string; filename: never }>({
      jwks: word,
      filename: unsupported('files of keys are not read, so no token is believed: write the keys as jwks'),
    }),
    remote: unsupported('keys are not fetched, so no token is believed: write them as local.jwks'),
  }),
  locations: list(location),
  forwarding: anyCase<{ headerName: string; padForwardPayloadHeader: boolean }>({
    headerName: word,
    padForwardPayloadHeader: flag,
  }),
  clockSkewSeconds: whole(0, 86_400),
  cacheConfig: anything,
});

type JwtProvider = Read<typeof jwtProvider>;

const KIND = 'JWTProvider';

export function checkJwtProvider({ spec }: Resource<JwtProvider>, report: Report): void {
  const refuse = (where: Parameters<Report>[2], message: string, hint = ''): void =>
    report(READING.schema, 'error', where, message, hint);
  const { issuer, jsonWebKeySet } = spec;
  if (issuer === undefined) refuse(null, 'it has no issuer', 'issuer: https://login.example.com');
  if (jsonWebKeySet === undefined) refuse(null, 'it has no jsonWebKeySet', 'jsonWebKeySet: { local: { jwks: … } }');
  const jwks = jsonWebKeySet?.local?.jwks;
  if (jwks !== undefined && keysOf(decoded(jwks)) === null)
    refuse(
      sourceOf(jsonWebKeySet?.local ?? spec, 'jwks'),
      'jwks is no JSON Web Key set in Base64',
      'base64 -w0 keys.json',
    );
}

function decoded(jwks: string): string {
  return Buffer.from(jwks, 'base64').toString('utf8');
}

/** Issuers of tokens by the names of their providers. */
export type Issuers = ReadonlyMap<string, string>;

export function issuersOf(resources: readonly Resource[]): Issuers {
  return new Map(
    ofKind<JwtProvider>(resources, 'consul', KIND).map(({ name, spec }) => [name, spec.issuer ?? ''] as const),
  );
}

/** Any of these a verified token must meet; empty = none is asked for. A provider that there is not is met by nobody. */
export function tokensOf(token: IntentionToken | undefined, issuers: Issuers): readonly AccessConditions[] {
  return (token?.providers ?? []).map(({ name = '', verifyClaims = [] }) => {
    const issuer = issuers.get(name);
    return [
      {
        subject: { kind: 'claim', path: ['iss'] },
        values: issuer === undefined ? [] : [{ kind: 'exact', value: issuer }],
        not: false,
        text: `jwt: a token of ${name}`,
      },
      ...verifyClaims.map(({ path = [], value = '' }) => ({
        subject: { kind: 'claim' as const, path },
        values: [{ kind: 'exact' as const, value }],
        not: false,
        text: `jwt: ${path.join('.')} = ${value}`,
      })),
    ];
  });
}

/** Each destination believes the tokens that its intentions ask for. */
export function consulTokenPoliciesOf(resources: readonly Resource[]): TokenPolicy[] {
  const providers = new Map(ofKind<JwtProvider>(resources, 'consul', KIND).map((one) => [one.name, one]));
  return ofKind<ServiceIntentions>(resources, 'consul', 'ServiceIntentions').flatMap((owner) => {
    const rules = [...new Set(providersIn(owner.spec))].flatMap((name) => {
      const provider = providers.get(name);
      return provider === undefined ? [] : [tokenRule(provider)];
    });
    const destination = destinationOf(owner);
    return rules.length === 0
      ? []
      : [
          {
            object: { ...owner, namespace: ROOT_NAMESPACE },
            selector: destination === '*' ? null : { app: destination },
            rules,
          },
        ];
  });
}

/** Names of the providers that intentions ask for. */
export function providersIn({ jwt, sources = [] }: ServiceIntentions): string[] {
  const all = [jwt, ...sources.flatMap(({ permissions = [] }) => permissions.map((permission) => permission.jwt))];
  return all.flatMap((one) => one?.providers ?? []).flatMap(({ name }) => name ?? []);
}

function tokenRule(provider: Resource<JwtProvider>): TokenRule {
  const { issuer = '', audiences = [], jsonWebKeySet, locations = [], forwarding, clockSkewSeconds } = provider.spec;
  const named = {
    fromHeaders: locations.flatMap(({ header }) =>
      header?.name === undefined ? [] : [{ name: header.name.toLowerCase(), prefix: header.valuePrefix ?? '' }],
    ),
    fromParameters: locations.flatMap(({ queryParam }) => queryParam?.name ?? []),
    fromCookies: locations.flatMap(({ cookie }) => cookie?.name ?? []),
  };
  return {
    ...(locations.length > 0 ? named : DEFAULT_TOKEN_PLACES),
    issuer,
    audiences,
    keys: keysOf(decoded(jsonWebKeySet?.local?.jwks ?? '')) ?? [],
    forward: locations.some(({ header }) => header?.forward === true),
    payloadHeader: forwarding?.headerName?.toLowerCase() ?? '',
    ...(forwarding?.padForwardPayloadHeader === true ? { padsPayload: true as const } : {}),
    claimHeaders: [],
    optional: true,
    ...(clockSkewSeconds === undefined || clockSkewSeconds === 0 ? {} : { skewSeconds: clockSkewSeconds }),
    object: objectName(provider),
    source: provider.source,
  };
}
