import { ISTIO_DEFAULT_RETRIES } from '../../model/flavor.js';
import { fqdn } from '../../model/names.js';
import { ANY_CALLER, destinationName, objectName, type RouteRule, type RouteSet } from '../../model/policies.js';
import { policyOf } from '../../model/retries.js';
import {
  EVERYTHING,
  type FieldChanges,
  type FieldMatch,
  forwardTo,
  type RetryPolicy,
  type RouteMatch,
  type TextMatch,
  type WeightedCluster,
} from '../../model/route.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource } from '../resource.js';
import type {
  RouterDestination,
  RouterMatch,
  RouterRoute,
  ServiceResolver,
  ServiceRouter,
  ServiceSplitter,
} from './routing.js';
import type { HeaderChanges, HeaderMatch } from './words.js';

/** How long a request may take where nothing is said, ms (Consul's default of routes and resolvers). */
const REQUEST_TIMEOUT_MS = 15_000;

/** The entries about one service: router, then splitter, then resolver (Consul's discovery chain). */
interface Chain {
  readonly routers: readonly Resource<ServiceRouter>[];
  readonly splitters: readonly Resource<ServiceSplitter>[];
  readonly resolvers: readonly Resource<ServiceResolver>[];
}

interface Target {
  readonly service: string;
  readonly namespace: string;
  readonly subset: string;
}

/**
 * A set of routes for each service that a router, a splitter or a resolver says something of: the router's routes in their
 * order, and behind them the service itself, since what meets none goes on (Consul answers no 404).
 */
export function consulRouteSetsOf(resources: readonly Resource[]): RouteSet[] {
  const chain: Chain = {
    routers: ofKind<ServiceRouter>(resources, 'consul', 'ServiceRouter'),
    splitters: ofKind<ServiceSplitter>(resources, 'consul', 'ServiceSplitter'),
    resolvers: ofKind<ServiceResolver>(resources, 'consul', 'ServiceResolver').filter(({ spec }) => isRouting(spec)),
  };
  const all: readonly Resource[] = [...chain.routers, ...chain.splitters, ...chain.resolvers];
  const named = new Map(all.map((one) => [`${one.namespace}/${one.name}`, one]));
  return [...named.values()].map((object) => routeSet(object, chain));
}

/** A resolver that only names subsets changes nothing of where requests go. */
function isRouting({ redirect, defaultSubset, requestTimeout }: ServiceResolver): boolean {
  return redirect !== undefined || (defaultSubset ?? '') !== '' || requestTimeout !== undefined;
}

function routeSet(object: Resource, chain: Chain): RouteSet {
  const { name, namespace } = object;
  const same = (one: Resource): boolean => one.name === name && one.namespace === namespace;
  const router = chain.routers.find(same);
  const own = { service: name, namespace, subset: '' };
  const routes = (router?.spec.routes ?? []).map((route, i) =>
    routeRule(router as Resource<ServiceRouter>, route, i, chain),
  );
  const rest = chain.splitters.find(same) ?? chain.resolvers.find(same) ?? (router as Resource);
  const last: RouteRule = {
    route: {
      name: `${namespace}/${name}`,
      match: EVERYTHING,
      action: { ...forwardTo(targetsOf(own, chain)), timeoutMs: timeoutOf(own, chain) },
      responseFields: null,
      fault: null,
      ...(rest === router ? {} : { origin: { object: objectName(rest), rule: 0, match: 0, source: rest.source } }),
    },
    defaultRetries: false,
    scope: ANY_CALLER,
  };
  return {
    object: router ?? rest,
    hosts: [fqdn(name, namespace)],
    port: null,
    gateways: ['mesh'],
    visibleTo: null,
    firstFor: null,
    created: object.created,
    rules: [...routes, last],
  };
}

function routeRule(router: Resource<ServiceRouter>, route: RouterRoute, index: number, chain: Chain): RouteRule {
  const { match, destination = {} } = route;
  const target: Target = {
    service: destination.service ?? router.name,
    namespace: destination.namespace ?? router.namespace,
    subset: destination.serviceSubset ?? '',
  };
  const { requestTimeout } = destination;
  const timeoutMs =
    requestTimeout === undefined ? timeoutOf(target, chain) : requestTimeout <= 0 ? null : requestTimeout;
  return {
    route: {
      name: `${router.namespace}/${router.name}#${index + 1}`,
      match: matchOf(match?.http),
      action: {
        ...forwardTo(targetsOf(target, chain)),
        timeoutMs,
        retry: retriesOf(destination, route),
        requestFields: changesOf(destination.requestHeaders),
        rewrite:
          destination.prefixRewrite === undefined
            ? null
            : { host: null, path: { kind: 'prefix', value: destination.prefixRewrite } },
      },
      responseFields: changesOf(destination.responseHeaders),
      fault: null,
      origin: { object: objectName(router), rule: index, match: 0, source: sourceOf(router.spec.routes ?? [], index) },
    },
    defaultRetries: false,
    scope: ANY_CALLER,
  };
}

/** Through the splitter of a service, where it has one and no subset was asked for; then through resolvers. */
function targetsOf(target: Target, chain: Chain): WeightedCluster[] {
  const splitter = chain.splitters.find(
    ({ name, namespace }) => name === target.service && namespace === target.namespace,
  );
  if (splitter === undefined || target.subset !== '')
    return [{ cluster: clusterOf(target, chain), weight: 1, requestFields: null, responseFields: null }];
  return (splitter.spec.splits ?? [])
    .filter(({ weight }) => weight > 0)
    .map(({ weight, service, namespace, serviceSubset, requestHeaders, responseHeaders }) => ({
      cluster: clusterOf(
        { service: service ?? target.service, namespace: namespace ?? target.namespace, subset: serviceSubset ?? '' },
        chain,
      ),
      weight,
      requestFields: changesOf(requestHeaders),
      responseFields: changesOf(responseHeaders),
    }));
}

function clusterOf(target: Target, chain: Chain): string {
  const { service, namespace, subset } = resolved(target, chain);
  return destinationName(fqdn(service, namespace), null, subset);
}

/** Redirects one after the other, and the subset that is meant where none is named. */
function resolved(target: Target, { resolvers }: Chain, depth = 0): Target {
  const resolver = resolvers.find(
    ({ name, namespace }) => name === target.service && namespace === target.namespace,
  )?.spec;
  if (resolver === undefined || depth > 8) return target;
  const { redirect, defaultSubset = '' } = resolver;
  if (redirect === undefined) return target.subset === '' ? { ...target, subset: defaultSubset } : target;
  const next = {
    service: redirect.service ?? target.service,
    namespace: redirect.namespace ?? target.namespace,
    subset: redirect.serviceSubset ?? '',
  };
  const same = next.service === target.service && next.namespace === target.namespace;
  return same ? next : resolved(next, { routers: [], splitters: [], resolvers }, depth + 1);
}

function timeoutOf({ service, namespace }: Target, { resolvers }: Chain): number | null {
  const wanted = resolvers.find((one) => one.name === service && one.namespace === namespace)?.spec.requestTimeout;
  if (wanted === undefined || wanted === 0) return REQUEST_TIMEOUT_MS;
  return wanted < 0 ? null : wanted;
}

/** Nothing is retried unless something says so; then once, unless it says how often. */
function retriesOf(destination: RouterDestination, route: RouterRoute): RetryPolicy | null {
  const { numRetries, retryOn = [], retryOnConnectFailure, retryOnStatusCodes = [] } = destination;
  const words = [
    ...retryOn,
    ...(retryOnConnectFailure === true ? ['connect-failure'] : []),
    ...retryOnStatusCodes.map(String),
  ];
  if (numRetries === undefined && words.length === 0) return null;
  const { line, file } = sourceOf(route, 'destination');
  return policyOf(
    {
      attempts: numRetries ?? 1,
      retryOn: words.length === 0 ? ISTIO_DEFAULT_RETRIES.retryOn : words,
      perTryTimeoutMs: null,
      nonIdempotent: 'always',
    },
    `the destination in line ${line} of ${file}`,
  );
}

export function matchOf(match: RouterMatch | undefined): RouteMatch {
  if (match === undefined) return EVERYTHING;
  const {
    pathExact,
    pathPrefix,
    pathRegex,
    caseInsensitive: ignoreCase = false,
    header = [],
    queryParam = [],
    methods = [],
  } = match;
  return {
    path:
      pathExact !== undefined
        ? { kind: 'exact', value: pathExact, ignoreCase }
        : pathRegex !== undefined
          ? { kind: 'regex', value: pathRegex, ignoreCase }
          : { kind: 'prefix', value: pathPrefix ?? '/', ignoreCase },
    methods,
    fields: header.map(fieldOf),
    query: queryParam.map(({ name, exact, regex }) => ({ name, ...textOf({ exact, regex }) })),
  };
}

export function fieldOf(match: HeaderMatch): FieldMatch {
  return { ...textOf(match), name: match.name.toLowerCase(), invert: match.invert ?? false, missingAsEmpty: false };
}

const KINDS = ['exact', 'prefix', 'suffix', 'contains', 'regex'] as const;

function textOf(match: { readonly [K in (typeof KINDS)[number]]?: string | undefined }): TextMatch {
  const kind = KINDS.find((one) => match[one] !== undefined);
  return kind === undefined ? { kind: 'present', value: '' } : { kind, value: match[kind] ?? '' };
}

function changesOf(changes: HeaderChanges | undefined): FieldChanges | null {
  if (changes === undefined) return null;
  const pairs = (fields: Readonly<Record<string, string>> = {}): [string, string][] =>
    Object.entries(fields).map(([name, value]) => [name.toLowerCase(), value]);
  return {
    set: pairs(changes.set),
    add: pairs(changes.add),
    remove: (changes.remove ?? []).map((name) => name.toLowerCase()),
  };
}
