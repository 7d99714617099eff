import type { SourceRef } from './source.js';

/**
 * What a sidecar does with a request of a virtual host: the first route that matches decides. Shapes follow Envoy's
 * `config.route.v3`, since every dialect compiles to that; order and precedence are the compiler's business.
 */
export interface Route {
  readonly name: string;
  readonly match: RouteMatch;
  readonly action: RouteAction;
  /** Changes of fields on every answer of this route, the proxy's own included. */
  readonly responseFields: FieldChanges | null;
  readonly fault: RouteFault | null;
  /** The rule of the resource that it was made of; absent = the mesh's own, or `x-mesh`'s. */
  readonly origin?: RouteOrigin;
}

export interface RouteOrigin {
  /** `VirtualService default/reviews` */
  readonly object: string;
  /** Which of its rules, and which of that rule's matches, from 0. */
  readonly rule: number;
  readonly match: number;
  /** As the rule calls itself. */
  readonly name?: string;
  readonly source: SourceRef;
}

/** Every part that is given must hold. */
export interface RouteMatch {
  readonly path: PathMatch;
  /** Empty = any. */
  readonly methods: readonly string[];
  readonly fields: readonly FieldMatch[];
  readonly query: readonly QueryMatch[];
}

export interface PathMatch {
  /**
   * `prefix`: plain text, `/v2` meets `/v2x` (Istio). `segments`: whole path elements, `/v2` meets `/v2` and `/v2/x`
   * (Gateway API). `exact` and `regex`: the whole path; expressions are RE2's.
   */
  readonly kind: 'prefix' | 'segments' | 'exact' | 'regex';
  readonly value: string;
  readonly ignoreCase: boolean;
}

/** A text by what it must be, contain or look like. `regex` is RE2 over the whole text. */
export interface TextMatch {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'contains' | 'regex' | 'present';
  /** Unused by `present`. */
  readonly value: string;
}

export interface FieldMatch extends TextMatch {
  /** Lower-case. */
  readonly name: string;
  readonly invert: boolean;
  /** A field that is missing counts as an empty one (Istio's `withoutHeaders`). */
  readonly missingAsEmpty: boolean;
}

/** Of several parameters of one name the first counts, compared as it was sent (Envoy). */
export interface QueryMatch extends TextMatch {
  readonly name: string;
}

export type RouteAction = ForwardAction | RedirectAction | DirectAction;

export interface ForwardAction extends ForwardPolicy {
  readonly kind: 'forward';
  /** Weighted clusters; one entry = all. */
  readonly clusters: readonly WeightedCluster[];
  readonly rewrite: Rewrite | null;
  readonly requestFields: FieldChanges | null;
  readonly cors: CorsPolicy | null;
  /** Answered where its cluster does not exist: 503 as Envoy does by itself, 500 as the Gateway API asks. */
  readonly missingStatus?: 503 | 500;
}

/** Cross-origin resource sharing; lists as they go into the field, '' = the field is not sent. */
export interface CorsPolicy {
  /** `exact` `*` = any origin. */
  readonly allowOrigins: readonly TextMatch[];
  readonly allowMethods: string;
  readonly allowHeaders: string;
  readonly exposeHeaders: string;
  readonly maxAgeSeconds: number | null;
  readonly allowCredentials: boolean;
  /** Preflights of other origins are answered too, without naming them (Istio's IGNORE), not left to the app. */
  readonly answerUnmatched: boolean;
}

/** How patiently a request is forwarded, by what consistent hashing chooses, and where copies go. */
export interface ForwardPolicy {
  /** Over all tries and the pauses between them; null = no limit. */
  readonly timeoutMs: number | null;
  readonly retry: RetryPolicy | null;
  /** Empty = consistent hashing chooses at random. */
  readonly hash: readonly HashPolicy[];
  readonly mirrors: readonly Mirror[];
}

/** One thing that requests are told apart by; several are combined in order (Envoy). */
export type HashPolicy = {
  /** Where it is found, the policies behind it say nothing. */
  readonly terminal: boolean;
} & (
  | { readonly kind: 'header' | 'query'; readonly name: string }
  | { readonly kind: 'source-ip' }
  | {
      readonly kind: 'cookie';
      readonly name: string;
      readonly path: string;
      /** A missing cookie is made: 0 = for the session. Null = it is not. */
      readonly ttlSeconds: number | null;
      readonly attributes: readonly { readonly name: string; readonly value: string }[];
    }
);

export interface RetryPolicy {
  /** Retries after the first try. */
  readonly attempts: number;
  readonly retryOn: readonly RetryCondition[];
  readonly retriableStatusCodes: readonly number[];
  /** For `retriable-headers`: answers with one of these are retried. */
  readonly retriableHeaders: readonly FieldMatch[];
  readonly perTryTimeoutMs: number | null;
  /** The last try has the time that is left, not that of one try (Linkerd). */
  readonly freeLastTry?: true;
  /** Full jitter: random in [0, min((2^n - 1) × base, max)). Envoy: 25 and 250 ms. */
  readonly backoffBaseMs: number;
  readonly backoffMaxMs: number;
  /** An answer's `Retry-After` takes the place of the back-off, up to this much; null = it says nothing. */
  readonly retryAfterMaxMs: number | null;
  /** Another endpoint is asked, if there is one. */
  readonly avoidTriedHosts: boolean;
  /**
   * Requests that may have been executed and are not idempotent: `never` again, only with an `Idempotency-Key`, or
   * `always` (Envoy, which does not look at the method).
   */
  readonly nonIdempotent: 'never' | 'with-key' | 'always';
  /** Where it comes from, for explanations: `Istio's default`, `x-mesh.services.ratings`. */
  readonly origin: string;
}

/** The words of Envoy's `x-envoy-retry-on` and `x-envoy-retry-grpc-on` that mean something for HTTP/1.1. */
export const RETRY_CONDITIONS = [
  '5xx',
  'gateway-error',
  'reset',
  'reset-before-request',
  'connect-failure',
  'envoy-ratelimited',
  'refused-stream',
  'retriable-4xx',
  'retriable-status-codes',
  'retriable-headers',
  'cancelled',
  'deadline-exceeded',
  'internal',
  'resource-exhausted',
  'unavailable',
] as const;

/** `try-timeout`, which is no word of Envoy's: the time for one try was over, and nothing else is wrong (Linkerd). */
export type RetryCondition = (typeof RETRY_CONDITIONS)[number] | 'try-timeout';

/** Fire and forget: a copy of a request goes to another cluster, and nobody waits for what it answers. */
export interface Mirror {
  readonly cluster: string;
  /** Share of the requests, 0-100. */
  readonly percent: number;
}

/** Istio's `fault`: in the caller's sidecar, before the request goes anywhere, so that no retry meets it. */
export interface RouteFault {
  readonly delay: { readonly ms: number; readonly percent: number } | null;
  readonly abort: { readonly status: number; readonly grpcStatus: number | null; readonly percent: number } | null;
}

export interface WeightedCluster {
  readonly cluster: string;
  readonly weight: number;
  readonly requestFields: FieldChanges | null;
  readonly responseFields: FieldChanges | null;
  /** Authority of what goes there; absent = as the route has it. */
  readonly host?: string;
}

export interface Rewrite {
  /** New authority; null = as it came. */
  readonly host: string | null;
  readonly path: PathChange | null;
}

/**
 * `prefix`: the text that the route's prefix matched is replaced as it is (Envoy's `prefix_rewrite`: `/` in place of
 * `/api` gives `//v1`). `segments`: the same by path elements, slashes joined (Gateway API). `full`: the whole path.
 * `regex`: every match of an RE2 expression, `\1` being its first group. The query always stays.
 */
export type PathChange =
  | { readonly kind: 'prefix' | 'segments' | 'full'; readonly value: string }
  | { readonly kind: 'regex'; readonly value: string; readonly substitution: string };

export interface RedirectAction {
  readonly kind: 'redirect';
  readonly status: number;
  /** Null = as in the request. */
  readonly scheme: 'http' | 'https' | null;
  readonly host: string | null;
  readonly port: number | null;
  /** The port that was called stands in its place; the compiler fills it in. */
  readonly ownPort?: true;
  /**
   * Without `port`, what becomes of the port that was asked for: it `stays` whatever the host, unless it is the scheme's own,
   * or `goes` (Linkerd); absent = it belongs to the host that was asked for.
   */
  readonly askedPort?: 'stays' | 'goes';
  /** A `full` path with a query of its own drops the request's. */
  readonly path: PathChange | null;
  /** A `full` path always does (Linkerd). */
  readonly dropsQuery?: true;
}

/** What a rule without a match is about. */
export const EVERYTHING: RouteMatch = {
  path: { kind: 'prefix', value: '/', ignoreCase: false },
  methods: [],
  fields: [],
  query: [],
};

/** An action that does nothing but forward. */
export function forwardTo(clusters: readonly { readonly cluster: string; readonly weight: number }[]): ForwardAction {
  return {
    kind: 'forward',
    clusters: clusters.map((one) => ({ requestFields: null, responseFields: null, ...one })),
    rewrite: null,
    requestFields: null,
    cors: null,
    timeoutMs: null,
    retry: null,
    hash: [],
    mirrors: [],
  };
}

export interface DirectAction {
  readonly kind: 'direct';
  readonly status: number;
  readonly body: string;
}

/** Removed first, then set (one line in place of all), then added (one more line). Names are lower-case. */
export interface FieldChanges {
  readonly remove: readonly string[];
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
}
