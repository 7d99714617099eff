import type { RouteMatch } from './route.js';
import type { SourceRef } from './source.js';

/**
 * Who may call a workload, in one shape for all dialects: rules in the order in which they are asked, of which the first
 * that is met decides, and what becomes of a call that meets none. Istio's DENY before ALLOW is an order; so is the
 * precedence of Consul's intentions; Linkerd only allows.
 */
export interface Authorization {
  readonly rules: readonly AccessRule[];
  readonly otherwise: AccessDefault;
  /** Who else is asked, before any of them; absent = nobody. */
  readonly external?: readonly ExternalCheck[];
}

/** Requests that meet one of the rules are an external authorizer's to decide (Istio's CUSTOM). */
export interface ExternalCheck {
  readonly name: string;
  /** Null = it is declared nowhere, and nobody is let in. */
  readonly authorizer: Authorizer | null;
  readonly rules: readonly AccessRule[];
}

/** A service that is asked by HTTP whether a request may pass (Istio's `envoyExtAuthzHttp`). Field names in small letters. */
export interface Authorizer {
  readonly name: string;
  /** Cluster of the service, its authority and its port. */
  readonly cluster: string;
  readonly host: string;
  readonly port: number;
  readonly pathPrefix: string;
  readonly timeoutMs: number;
  /** Whoever cannot be asked lets everybody in. */
  readonly failOpen: boolean;
  readonly statusOnError: number;
  /** Fields of the request that it is shown; `x-*` and `*-id` too. */
  readonly asked: readonly string[];
  readonly added: readonly (readonly [name: string, value: string])[];
  /** Fields of its answer that the app is shown. */
  readonly onAllow: readonly string[];
  /** Fields of its answer that the caller is shown; null = all. */
  readonly onDeny: readonly string[] | null;
}

/** What becomes of calls that no rule is about, and why, as a sentence. */
export interface AccessDefault {
  readonly action: 'allow' | 'deny';
  readonly because: string;
}

/** A rule is met by who fits any of `from`, with what fits any of `to`, while all of `when` holds. */
export interface AccessRule {
  /** `audit` never decides. */
  readonly action: 'allow' | 'deny' | 'audit';
  /** False = it is only told what it would do (a dry run). */
  readonly enforced: boolean;
  /** As Envoy calls it: `ns[default]-policy[viewer]-rule[0]`. */
  readonly name: string;
  /** `AuthorizationPolicy default/viewer` */
  readonly object: string;
  /** Which of its rules, from 0. */
  readonly rule: number;
  readonly source: SourceRef;
  /** It keeps out whatever no rule before it let in, so that those say why. */
  readonly closing?: true;
  /** What a call that it keeps out is answered; absent = that it is denied. Never on TCP connections. */
  readonly answer?: 'route_not_found';
  /** Any of these; each is met when all of its conditions hold. Empty = anybody. */
  readonly from: readonly AccessConditions[];
  /** Empty = anything. */
  readonly to: readonly AccessConditions[];
  readonly when: AccessConditions;
}

export type AccessConditions = readonly AccessCondition[];

/** One thing of a call, and what it must be, or must not be. */
export interface AccessCondition {
  readonly subject: AccessSubject;
  /** Any of these. */
  readonly values: readonly AccessMatch[];
  readonly not: boolean;
  /** As the resource has it, for sentences: `principals: cluster.local/ns/default/sa/web`. */
  readonly text: string;
}

export type AccessSubject =
  /** SPIFFE ID that the caller's certificate proves, without `spiffe://`; nothing in plaintext. */
  | { readonly kind: 'principal' }
  /** Address from which the connection comes. */
  | { readonly kind: 'peer-address' }
  /** Address of the first caller, as the last proxy says. */
  | { readonly kind: 'remote-address' }
  | { readonly kind: 'own-address' }
  /** The workload's own port. */
  | { readonly kind: 'port' }
  /** Name that the TLS handshake asks for. */
  | { readonly kind: 'server-name' }
  | { readonly kind: 'host' }
  | { readonly kind: 'method' }
  /** Without its query. */
  | { readonly kind: 'path' }
  /** Whether the request is this route's: it meets one of the matches, and none of those that are asked first. */
  | { readonly kind: 'route'; readonly matches: readonly RouteMatch[]; readonly before: readonly RouteMatch[] }
  | { readonly kind: 'header'; readonly name: string }
  /** `issuer/subject` of a verified token. */
  | { readonly kind: 'request-principal' }
  /** A claim of a verified token, by its way through nested ones. */
  | { readonly kind: 'claim'; readonly path: readonly string[] };

/**
 * `prefix`, `suffix`, `exact`, `present` (and not empty) and `regex` (RE2, the whole text) as in routes. `template`: a path in
 * which `{*}` is one element and `{**}` any number. `range`: an address, or `address/bits`. `token`: `issuer/subject`, each
 * with wildcards of its own.
 */
export interface AccessMatch {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'present' | 'regex' | 'template' | 'range' | 'token';
  readonly value: string;
}

/** What TCP connections have too; the rest belongs to requests. */
const OF_CONNECTIONS = new Set<AccessSubject['kind']>([
  'principal',
  'peer-address',
  'remote-address',
  'own-address',
  'port',
  'server-name',
]);

/** Whether a condition is about something that only HTTP has. */
export function isHttpOnly({ subject }: AccessCondition): boolean {
  return !OF_CONNECTIONS.has(subject.kind);
}

/** Whose tokens a workload believes, and where they are found. */
export interface TokenRule {
  readonly issuer: string;
  /** One of these must be the token's; empty = any. */
  readonly audiences: readonly string[];
  /** JSON Web Keys as they are written; empty = none is known, so that no token is believed. */
  readonly keys: readonly JsonWebKeyText[];
  readonly fromHeaders: readonly { readonly name: string; readonly prefix: string }[];
  readonly fromParameters: readonly string[];
  readonly fromCookies: readonly string[];
  /** The app gets the token too. */
  readonly forward: boolean;
  /** Field that gets the payload as it stands in the token; '' = none. */
  readonly payloadHeader: string;
  /** Its base64 is filled up with `=` (Envoy's `pad_forward_payload_header`). */
  readonly padsPayload?: true;
  readonly claimHeaders: readonly { readonly header: string; readonly claim: readonly string[] }[];
  /** A bad token is as if none had been shown (Consul); absent = it is refused. */
  readonly optional?: true;
  /** How much clocks may differ, s; absent = Envoy's 60. */
  readonly skewSeconds?: number;
  /** `RequestAuthentication default/jwt` */
  readonly object: string;
  readonly source: SourceRef;
}

/** A key of a JWK set, as far as verifying goes; absent = it does not say. */
export interface JsonWebKeyText {
  readonly kid?: string;
  readonly alg?: string;
  /** The key itself, as JSON. */
  readonly jwk: string;
}

/** Where a token is looked for when its rule does not say (Envoy). */
export const DEFAULT_TOKEN_PLACES: Pick<TokenRule, 'fromHeaders' | 'fromParameters' | 'fromCookies'> = {
  fromHeaders: [{ name: 'authorization', prefix: 'Bearer ' }],
  fromParameters: ['access_token'],
  fromCookies: [],
};

/** How a rule calls itself in sentences: `rule 1 of AuthorizationPolicy default/viewer`. */
export function accessRuleText({ rule, object }: Pick<AccessRule, 'rule' | 'object'>): string {
  return `rule ${rule + 1} of ${object}`;
}
