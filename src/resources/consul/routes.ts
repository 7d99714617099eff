import { literally } from '../../model/access-match.js';
import { fqdn, NAMESPACE } from '../../model/names.js';
import {
  ANY_CALLER,
  destinationName,
  objectName,
  type RouteRule,
  type RouteSet,
  type StreamRoutes,
} from '../../model/policies.js';
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
import type { Resource } from '../resource.js';
import { Chain, type Target, targetOf } from './chain.js';
import type { RouterDestination, RouterMatch, RouterRoute, ServiceResolver, ServiceRouter } from './routing.js';
import type { HeaderChanges, HeaderMatch } from './words.js';

/** How long a request may take where nothing is said, ms (Envoy's default of routes, which Consul leaves in force). */
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * A set of routes for each service that a router, a splitter or a resolver says something of: the router's routes in their
 * order, and behind them the service itself, since what meets none goes on (Consul answers no 404).
 */
export function consulRouteSetsOf(resources: readonly Resource[]): RouteSet[] {
  const chain = new Chain(resources);
  const resolving = [...chain.resolvers.values()].filter(
    ({ spec }) => sendsElsewhere(spec) || spec.requestTimeout !== undefined,
  );
  const named = new Set([...chain.routers.keys(), ...chain.splitters.keys(), ...resolving.map(({ name }) => name)]);
  return [...named].map((name) => routeSet(name, chain));
}

/** A resolver that only names subsets changes nothing of where calls go. */
function sendsElsewhere({ redirect, defaultSubset }: ServiceResolver): boolean {
  return redirect !== undefined || defaultSubset !== undefined;
}

/** Connections know no routers and no splitters, and resolvers all the same. */
export function consulStreamsOf(resources: readonly Resource[]): StreamRoutes[] {
  const chain = new Chain(resources);
  return [...chain.resolvers.values()]
    .filter(({ spec }) => sendsElsewhere(spec))
    .map((object) => ({
      object,
      hosts: [fqdn(object.name)],
      gateways: ['mesh'],
      visibleTo: null,
      created: object.created,
      rules: [
        {
          scope: ANY_CALLER,
          destinations: [{ name: clusterOf(chain.resolve(targetOf({}, object.name)).target), weight: 1 }],
          origin: { object: objectName(object), rule: 0, match: 0, source: object.source },
        },
      ],
    }));
}

function routeSet(name: string, chain: Chain): RouteSet {
  const [router, splitter, resolver] = [chain.routers.get(name), chain.splitters.get(name), chain.resolvers.get(name)];
  const routes = (router?.spec.routes ?? []).map((route, i) =>
    routeRule(router as Resource<ServiceRouter>, route, i, chain),
  );
  const rest = splitter ?? resolver ?? (router as Resource);
  const own = targetOf({}, name);
  const last: RouteRule = {
    route: {
      name: `${NAMESPACE}/${name}`,
      match: EVERYTHING,
      action: {
        ...forwardTo(clustersOf(own, chain)),
        timeoutMs: router === undefined && splitter === undefined ? timeoutOf(own, chain) : REQUEST_TIMEOUT_MS,
      },
      responseFields: null,
      fault: null,
      ...(rest === router ? {} : { origin: { object: objectName(rest), rule: 0, match: 0, source: rest.source } }),
    },
    defaultRetries: false,
    scope: ANY_CALLER,
  };
  return {
    object: router ?? rest,
    hosts: [fqdn(name)],
    port: null,
    gateways: ['mesh'],
    visibleTo: null,
    firstFor: null,
    created: (router ?? rest).created,
    rules: [...routes, last],
  };
}

function routeRule(router: Resource<ServiceRouter>, route: RouterRoute, index: number, chain: Chain): RouteRule {
  const { match, destination = {} } = route;
  const { requestTimeout = 0, prefixRewrite } = destination;
  return {
    route: {
      name: `${NAMESPACE}/${router.name}#${index + 1}`,
      match: matchOf(match?.http),
      action: {
        ...forwardTo(clustersOf(targetOf(destination, router.name), chain)),
        timeoutMs: timeoutMsOf(requestTimeout),
        retry: retriesOf(destination, route),
        requestFields: changesOf(destination.requestHeaders),
        rewrite: prefixRewrite === undefined ? null : { host: null, path: { kind: 'prefix', value: prefixRewrite } },
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
function clustersOf(target: Target, chain: Chain): WeightedCluster[] {
  return chain
    .sharesOf(target)
    .filter(({ percent }) => percent > 0)
    .map((share) => ({
      cluster: clusterOf(share.target),
      weight: share.percent,
      requestFields: changesOf(share.requestHeaders),
      responseFields: changesOf(share.responseHeaders),
    }));
}

export function clusterOf({ service, namespace, subset }: Target): string {
  return destinationName(fqdn(service, namespace), null, subset);
}

/** That of the resolver at the end counts; behind a router or a splitter none does. */
function timeoutOf(own: Target, chain: Chain): number | null {
  return timeoutMsOf(chain.resolverOf(chain.resolve(own).target)?.spec.requestTimeout ?? 0);
}

/** 0 = not written, less = none. */
function timeoutMsOf(requestTimeout: number): number | null {
  if (requestTimeout === 0) return REQUEST_TIMEOUT_MS;
  return requestTimeout < 0 ? null : requestTimeout;
}

/** Nothing is retried unless it is said what for; then once, unless it is said how often. */
function retriesOf(destination: RouterDestination, route: RouterRoute): RetryPolicy | null {
  const { numRetries = 0, retryOn = [], retryOnConnectFailure, retryOnStatusCodes = [] } = destination;
  const words = [
    ...retryOn,
    ...(retryOnConnectFailure === true ? ['connect-failure'] : []),
    ...retryOnStatusCodes.map(String),
  ];
  if (words.length === 0) return null;
  const { line, file } = sourceOf(route, 'destination');
  return policyOf(
    { attempts: numRetries === 0 ? 1 : numRetries, retryOn: words, perTryTimeoutMs: null, nonIdempotent: 'always' },
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
    methods: methods.map((method) => method.toUpperCase()),
    fields: header.map(fieldOf),
    query: queryParam.map(({ name, exact, regex }) => ({ name, ...textOf({ exact, regex }) })),
  };
}

export function fieldOf(match: HeaderMatch): FieldMatch {
  const value = textOf(match);
  return {
    ...(match.ignoreCase === true ? anyCaseOf(value) : value),
    name: match.name.toLowerCase(),
    invert: match.invert ?? false,
    missingAsEmpty: false,
  };
}

const KINDS = ['exact', 'prefix', 'suffix', 'contains', 'regex'] as const;

function textOf(match: { readonly [K in (typeof KINDS)[number]]?: string | undefined }): TextMatch {
  const kind = KINDS.find((one) => match[one] !== undefined);
  return kind === undefined ? { kind: 'present', value: '' } : { kind, value: match[kind] ?? '' };
}

/** The same, large and small letters alike. */
function anyCaseOf({ kind, value }: TextMatch): TextMatch {
  if (kind === 'present') return { kind, value };
  const text = kind === 'regex' ? `(?:${value})` : literally(value);
  const [before, after] = [kind === 'suffix' || kind === 'contains', kind === 'prefix' || kind === 'contains'];
  return { kind: 'regex', value: `(?i)${before ? '.*' : ''}${text}${after ? '.*' : ''}` };
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
