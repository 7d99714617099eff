import { ISTIO_DEFAULT_RETRIES } from '../../model/flavor.js';
import { ANY_CALLER, destinationName, objectName, type RouteRule, type RouteSet } from '../../model/policies.js';
import { policyOf } from '../../model/retries.js';
import type {
  CorsPolicy,
  FieldChanges,
  FieldMatch,
  ForwardAction,
  Mirror,
  PathChange,
  RedirectAction,
  RetryPolicy,
  Rewrite,
  Route,
  RouteAction,
  RouteFault,
  RouteMatch,
  RouteOrigin,
  WeightedCluster,
} from '../../model/route.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource } from '../resource.js';
import { fullHost, visibleTo } from '../words.js';
import { type OwnedRule, placeOf, rulesOf } from './delegates.js';
import { grpcStatusOf } from './grpc-status.js';
import { fieldChanges, hostOf, mergedChanges } from './headers.js';
import { absentHeaderOf, headerMatchOf, pathMatchOf, queryMatchOf, textMatchOf } from './string-match.js';
import type {
  Cors,
  Destination,
  HttpFault,
  HttpMatch,
  HttpRoute,
  Redirect,
  Retries,
  VirtualService,
} from './virtual-service.js';

/** Every VirtualService with hosts as a set of routes; those without are parts of others (delegates). */
export function routeSetsOf(resources: readonly Resource[]): RouteSet[] {
  const all = ofKind<VirtualService>(resources, 'istio', 'VirtualService');
  return all
    .filter(({ spec }) => (spec.hosts ?? []).length > 0 && spec.http !== undefined)
    .map((service) => ({
      object: service,
      hosts: (service.spec.hosts ?? []).map((host) => fullHost(host, service.namespace)),
      port: null,
      gateways: gatewaysOf(service.spec.gateways ?? ['mesh'], service.namespace),
      visibleTo: visibleTo(service.spec.exportTo, service.namespace),
      firstFor: null,
      created: service.created,
      rules: rulesOf(service, all).flatMap((owned) => routeRules(owned)),
    }));
}

export function gatewaysOf(names: readonly string[], namespace: string): string[] {
  return names.map((name) => (name === 'mesh' || name.includes('/') ? name : `${namespace}/${name}`));
}

/** One route for each match of a rule, in order; a rule without one meets everything. */
function routeRules(owned: OwnedRule): RouteRule[] {
  const { rule, owner, index } = owned;
  const matches: readonly (HttpMatch | null)[] = (rule.match ?? []).length > 0 ? (rule.match ?? []) : [null];
  return matches.map((match, at) => {
    const origin: RouteOrigin = {
      object: objectName(owner),
      rule: index,
      match: at,
      ...(rule.name === undefined ? {} : { name: rule.name }),
      source: placeOf(owned),
    };
    return {
      route: routeOf(owned, match, origin),
      defaultRetries: rule.retries === undefined,
      scope: match === null ? ANY_CALLER : scopeOf(match, owner.namespace),
    };
  });
}

function scopeOf(match: HttpMatch, namespace: string): RouteRule['scope'] {
  return {
    gateways:
      match.gateways === undefined || match.gateways.length === 0 ? null : gatewaysOf(match.gateways, namespace),
    sourceLabels: match.sourceLabels ?? {},
    sourceNamespace: match.sourceNamespace ?? null,
    port: match.port ?? null,
  };
}

function routeOf(owned: OwnedRule, match: HttpMatch | null, origin: RouteOrigin): Route {
  const { rule, owner } = owned;
  return {
    name: rule.name ?? `${owner.namespace}/${owner.name}#${origin.rule + 1}`,
    match: matchOf(match),
    action: actionOf(rule, owner.namespace),
    responseFields: responseFields(rule),
    fault: rule.fault === undefined ? null : faultOf(rule.fault),
    origin,
  };
}

function matchOf(match: HttpMatch | null): RouteMatch {
  if (match === null) return { path: pathMatchOf(undefined, false), methods: [], fields: [], query: [] };
  const pseudo = (name: string, test: HttpMatch['method']): FieldMatch[] =>
    test === undefined ? [] : [{ ...textMatchOf(test), name, invert: false, missingAsEmpty: false }];
  const { method } = match;
  return {
    path: pathMatchOf(match.uri, match.ignoreUriCase ?? false),
    methods: method?.exact === undefined ? [] : [method.exact],
    fields: [
      ...(method?.exact === undefined ? pseudo(':method', method) : []),
      ...pseudo(':authority', match.authority),
      ...pseudo(':scheme', match.scheme),
      ...Object.entries(match.headers ?? {}).map(([name, test]) => headerMatchOf(name, test)),
      ...Object.entries(match.withoutHeaders ?? {}).map(([name, test]) => absentHeaderOf(name, test)),
    ],
    query: Object.entries(match.queryParams ?? {}).map(([name, test]) => queryMatchOf(name, test)),
  };
}

/** A corsPolicy has no effect beside a redirect or a direct response (observed). */
function actionOf(rule: HttpRoute, namespace: string): RouteAction {
  if (rule.redirect !== undefined) return redirectOf(rule.redirect);
  if (rule.directResponse !== undefined) {
    const { status, body } = rule.directResponse;
    const bytes = body?.bytes === undefined ? '' : Buffer.from(body.bytes, 'base64').toString('utf8');
    return { kind: 'direct', status, body: body?.string ?? bytes };
  }
  return forwardOf(rule, namespace);
}

/** The port that a scheme has by itself is as if not said: Envoy then leaves the port of the request alone (observed). */
function redirectOf({
  uri,
  prefixRewrite,
  authority,
  port,
  derivePort,
  scheme,
  redirectCode,
}: Redirect): RedirectAction {
  const wanted = scheme === 'https' ? 'https' : scheme === 'http' ? 'http' : null;
  const own = wanted === 'https' ? 443 : 80;
  const path: PathChange | null =
    uri !== undefined
      ? { kind: 'full', value: uri }
      : prefixRewrite !== undefined
        ? { kind: 'prefix', value: prefixRewrite }
        : null;
  return {
    kind: 'redirect',
    status: redirectCode === undefined || redirectCode === 0 ? 301 : redirectCode,
    scheme: wanted,
    host: authority === undefined || authority === '' ? null : authority,
    port: port === undefined || port === own ? null : port,
    ...(derivePort === 'FROM_REQUEST_PORT' ? { ownPort: true } : {}),
    path,
  };
}

function forwardOf(rule: HttpRoute, namespace: string): ForwardAction {
  const destinations = rule.route ?? [];
  const only = destinations.length === 1 ? destinations[0] : undefined;
  // One destination's headers join the rule's; several keep their own (Istio).
  const fields = fieldChanges(rule.headers?.request);
  const requestFields = only === undefined ? fields : mergedChanges(fields, fieldChanges(only.headers?.request));
  const clusters: WeightedCluster[] = destinations
    .filter(({ weight }) => only !== undefined || (weight ?? 0) > 0)
    .map((entry) => {
      const host = only === undefined ? hostOf(entry.headers?.request) : null;
      return {
        cluster: nameOf(entry.destination, namespace),
        weight: only === undefined ? (entry.weight ?? 0) : 1,
        requestFields: only === undefined ? fieldChanges(entry.headers?.request) : null,
        responseFields: only === undefined ? fieldChanges(entry.headers?.response) : null,
        ...(host === null ? {} : { host }),
      };
    });
  const host = rule.rewrite?.authority ?? hostOf(rule.headers?.request) ?? hostOf(only?.headers?.request);
  return {
    kind: 'forward',
    clusters,
    rewrite: rewriteOf(rule, host ?? null),
    requestFields,
    cors: rule.corsPolicy === undefined ? null : corsOf(rule.corsPolicy),
    timeoutMs: rule.timeout === undefined || rule.timeout === 0 ? null : rule.timeout,
    retry: rule.retries === undefined ? null : retriesOf(rule),
    hash: [],
    mirrors: mirrorsOf(rule, namespace),
  };
}

function nameOf({ host, subset, port }: Destination, namespace: string): string {
  return destinationName(fullHost(host, namespace), port?.number ?? null, subset ?? '');
}

function responseFields(rule: HttpRoute): FieldChanges | null {
  const own = fieldChanges(rule.headers?.response);
  const destinations = rule.route ?? [];
  return destinations.length === 1 ? mergedChanges(own, fieldChanges(destinations[0]?.headers?.response)) : own;
}

/** The prefix, the exact path or all of it, whichever the match is about; what is not about the path replaces its first slash. */
function rewriteOf({ rewrite }: HttpRoute, host: string | null): Rewrite | null {
  const { uri, uriRegexRewrite } = rewrite ?? {};
  const path: PathChange | null =
    uriRegexRewrite !== undefined
      ? { kind: 'regex', value: uriRegexRewrite.match ?? '', substitution: uriRegexRewrite.rewrite ?? '' }
      : uri !== undefined && uri !== ''
        ? { kind: 'prefix', value: uri }
        : null;
  return host === null && path === null ? null : { host, path };
}

function retriesOf(rule: HttpRoute): RetryPolicy | null {
  const retries = rule.retries as Retries;
  const { attempts, retryOn, perTryTimeout, backoff, retryIgnorePreviousHosts } = retries;
  return policyOf(
    {
      attempts: attempts ?? 0,
      retryOn: retryOn === undefined || retryOn === '' ? ISTIO_DEFAULT_RETRIES.retryOn : retryOn.split(','),
      perTryTimeoutMs: perTryTimeout === undefined || perTryTimeout === 0 ? null : perTryTimeout,
      ...(backoff === undefined ? {} : { backoffBaseMs: backoff }),
      avoidTriedHosts: retryIgnorePreviousHosts ?? true,
      nonIdempotent: 'always',
    },
    `retries in line ${sourceOf(rule, 'retries').line} of ${sourceOf(rule, 'retries').file}`,
  );
}

/** A share that is not given is none (proto3's zero). */
function faultOf({ delay, abort }: HttpFault): RouteFault | null {
  const delayed =
    delay?.fixedDelay === undefined
      ? null
      : { ms: delay.fixedDelay, percent: delay.percentage?.value ?? delay.percent ?? 0 };
  const grpcStatus = abort?.grpcStatus === undefined ? null : grpcStatusOf(abort.grpcStatus);
  const aborted =
    abort === undefined || (abort.httpStatus === undefined && grpcStatus === null)
      ? null
      : { status: abort.httpStatus ?? 200, grpcStatus, percent: abort.percentage?.value ?? 0 };
  return delayed === null && aborted === null ? null : { delay: delayed, abort: aborted };
}

function mirrorsOf(rule: HttpRoute, namespace: string): Mirror[] {
  if (rule.mirrors !== undefined)
    return rule.mirrors.map(({ destination, percentage }) => ({
      cluster: nameOf(destination, namespace),
      percent: percentage?.value ?? 100,
    }));
  if (rule.mirror === undefined) return [];
  const percent = rule.mirrorPercentage?.value ?? rule.mirrorPercent ?? 100;
  return percent === 0 ? [] : [{ cluster: nameOf(rule.mirror, namespace), percent }];
}

function corsOf(cors: Cors): CorsPolicy {
  const exact = (cors.allowOrigin ?? []).map((value) => ({ kind: 'exact' as const, value }));
  return {
    allowOrigins: [...(cors.allowOrigins ?? []).map(textMatchOf), ...exact],
    allowMethods: (cors.allowMethods ?? []).join(','),
    allowHeaders: (cors.allowHeaders ?? []).join(','),
    exposeHeaders: (cors.exposeHeaders ?? []).join(','),
    maxAgeSeconds: cors.maxAge === undefined ? null : Math.floor(cors.maxAge / 1_000),
    allowCredentials: cors.allowCredentials ?? false,
    answerUnmatched: cors.unmatchedPreflights === 'IGNORE',
  };
}
