import type { FieldChanges, PathChange, RedirectAction, RouteMatch } from '../../model/route.js';
import { sourceOf } from '../../yaml/positions.js';
import type { AnyRoute, Unobeyed } from '../gateway-api/any-route.js';
import { filterOf, operationsOf } from '../gateway-api/filters.js';
import type { FieldModifier, HttpFilter, RedirectFilter } from '../gateway-api/http-route.js';
import { hostOf } from '../istio/headers.js';

/** Filters that a route at a Server may have (linkerd2 policy-controller/k8s/index, inbound/index/http.rs and grpc.rs). */
const KNOWN: ReadonlySet<HttpFilter['type']> = new Set([
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestRedirect',
]);

/** Filters for which Linkerd ignores a route as a whole at every Server, as if it were not there (the same). */
export function ignoringFilters({ rules }: AnyRoute): Unobeyed[] {
  return rules.flatMap(({ spec: { filters = [] } }) => filters.flatMap(ignoringFilter));
}

function ignoringFilter(filter: HttpFilter): Unobeyed[] {
  const { type, requestRedirect } = filter;
  if (!KNOWN.has(type))
    return [
      {
        source: sourceOf(filter, 'type'),
        message: `the filter ${type} is not known at a Server`,
        hint: 'leave it out',
      },
    ];
  const path = requestRedirect?.path;
  if (path === undefined) return [];
  const text = path.replaceFullPath ?? path.replacePrefixMatch ?? '';
  if (text.startsWith('/')) return [];
  return [
    {
      source: sourceOf(path, path.replaceFullPath === undefined ? 'replacePrefixMatch' : 'replaceFullPath'),
      message: `a redirect at a Server has an absolute path, and ${JSON.stringify(text)} is none`,
      hint: `/${text}`,
    },
  ];
}

/** What the filters of a rule make of a request at a Server. */
export interface ServerFilters {
  readonly requestFields: FieldChanges | null;
  readonly host?: string;
  readonly redirect: RedirectAction | null;
}

/** Changes of answers are not handed to the proxies (linkerd2 policy-controller/grpc, inbound/http.rs). */
export function serverFilters(filters: readonly HttpFilter[], match: RouteMatch): ServerFilters {
  const modifier = filterOf(filters, 'RequestHeaderModifier')?.requestHeaderModifier;
  const redirect = filterOf(filters, 'RequestRedirect')?.requestRedirect;
  const host = hostOf(operationsOf(modifier));
  return {
    requestFields: modifier === undefined ? null : changesOf(modifier),
    ...(host === null ? {} : { host }),
    redirect: redirect === undefined ? null : redirectOf(redirect, match),
  };
}

/** Added first, then set, then removed (linkerd2-proxy linkerd/http/route, modify_header.rs): the last has the last word. */
function changesOf({ add = [], set = [], remove = [] }: FieldModifier): FieldChanges | null {
  const gone = new Set(remove.map((name) => name.toLowerCase()));
  const kept = new Map(pairsOf(set).filter(([name]) => !gone.has(name)));
  const added = pairsOf(add).filter(([name]) => !gone.has(name) && !kept.has(name));
  const changes = { remove: [...gone].filter((name) => name !== 'host'), set: [...kept], add: added };
  return changes.remove.length + changes.set.length + changes.add.length === 0 ? null : changes;
}

/** The authority is no field. */
function pairsOf(fields: NonNullable<FieldModifier['set']>): (readonly [string, string])[] {
  return fields
    .map(({ name, value }) => [name.toLowerCase(), value] as const)
    .filter(([name]) => name !== 'host' && !name.startsWith(':'));
}

/**
 * A redirect as Linkerd makes it (linkerd2-proxy linkerd/http/route, redirect.rs): a host alone keeps the port that was asked
 * for, a port that is the scheme's own is left out where no host is said, a whole path takes the query away.
 */
function redirectOf(filter: RedirectFilter, match: RouteMatch): RedirectAction {
  const { scheme = null, hostname = null, port = null, statusCode = 302 } = filter;
  const own = hostname === null && port === (scheme === 'https' ? 443 : 80);
  return {
    kind: 'redirect',
    status: statusCode,
    scheme,
    host: hostname,
    port: own ? null : port,
    askedPort: own ? 'goes' : 'stays',
    path: pathOf(filter.path, match),
    dropsQuery: true,
  };
}

/** The text of the prefix is replaced, and `/` by whole elements, so that one slash stays between them. */
function pathOf(path: RedirectFilter['path'], match: RouteMatch): PathChange | null {
  if (path === undefined) return null;
  if (path.replaceFullPath !== undefined) return { kind: 'full', value: path.replaceFullPath };
  const kind = match.path.value === '/' ? 'segments' : 'prefix';
  return { kind, value: path.replacePrefixMatch ?? '' };
}
