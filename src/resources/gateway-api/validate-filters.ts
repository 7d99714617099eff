import { sourceOf } from '../../yaml/positions.js';
import type { Refuse } from '../refuse.js';
import type { HttpFilter, PathModifier } from './http-route.js';

/** Which field belongs to which type. */
const FIELDS: Readonly<Record<HttpFilter['type'], keyof HttpFilter & string>> = {
  RequestHeaderModifier: 'requestHeaderModifier',
  ResponseHeaderModifier: 'responseHeaderModifier',
  RequestMirror: 'requestMirror',
  RequestRedirect: 'requestRedirect',
  URLRewrite: 'urlRewrite',
  CORS: 'cors',
  ExtensionRef: 'extensionRef',
  ExternalAuth: 'externalAuth',
};

/** Filters that a list may hold several of. */
const REPEATABLE: ReadonlySet<string> = new Set(['RequestMirror', 'ExtensionRef', 'ExternalAuth']);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);
const MOST_FIELDS = 16;

/** What of a rule its filters must fit; a backend's filters do not mind the backends. */
interface FilteredRule {
  readonly matches?: readonly object[];
  readonly backendRefs?: readonly object[];
}

/** The filters of a rule, or of one of its backends. */
export function checkFilters(rule: FilteredRule, filters: readonly HttpFilter[], refuse: Refuse): void {
  const seen = new Set<string>();
  for (const filter of filters) {
    const at = sourceOf(filter, 'type');
    if (seen.has(filter.type) && !REPEATABLE.has(filter.type))
      refuse(at, `the filter ${filter.type} stands twice`, 'put both into one');
    seen.add(filter.type);
    for (const [type, field] of Object.entries(FIELDS))
      if (type === filter.type && filter[field] === undefined)
        refuse(at, `the filter ${type} has no ${field}`, `${field}: { … }`);
      else if (type !== filter.type && filter[field] !== undefined)
        refuse(sourceOf(filter, field), `${field} stands in a filter of type ${filter.type}`, `type: ${type}`);
    checkOne(rule, filter, refuse);
  }
  const both = filters.find(({ type }) => type === 'URLRewrite');
  if (both !== undefined && seen.has('RequestRedirect'))
    refuse(
      sourceOf(both, 'type'),
      'a rule has RequestRedirect or URLRewrite, not both',
      'a redirect changes the path too',
    );
}

function checkOne(rule: FilteredRule, filter: HttpFilter, refuse: Refuse): void {
  const { requestRedirect, urlRewrite, requestMirror } = filter;
  if (requestRedirect !== undefined) {
    if ((rule.backendRefs ?? []).length > 0)
      refuse(sourceOf(filter, 'type'), 'RequestRedirect must not be used together with backendRefs', 'leave them out');
    const { statusCode } = requestRedirect;
    if (statusCode !== undefined && !REDIRECTS.has(statusCode))
      refuse(sourceOf(requestRedirect, 'statusCode'), `${statusCode} is no redirection`, '301, 302, 303, 307 or 308');
  }
  for (const path of [requestRedirect?.path, urlRewrite?.path]) if (path !== undefined) checkPath(rule, path, refuse);
  if (requestMirror !== undefined) checkMirror(requestMirror, refuse);
  for (const modifier of [filter.requestHeaderModifier, filter.responseHeaderModifier]) {
    if (modifier === undefined) continue;
    for (const part of ['set', 'add', 'remove'] as const) {
      const entries: readonly (string | { readonly name: string })[] = modifier[part] ?? [];
      const names = entries.map((entry) => (typeof entry === 'string' ? entry : entry.name));
      if (names.length > MOST_FIELDS) refuse(sourceOf(modifier, part), `more than ${MOST_FIELDS} headers in ${part}`);
      for (const [i, name] of names.entries())
        if (names.indexOf(name) !== i) refuse(sourceOf(entries, i), `${name} stands twice in ${part}`);
    }
  }
}

function checkPath(rule: FilteredRule, path: PathModifier, refuse: Refuse): void {
  const wanted = path.type === 'ReplaceFullPath' ? 'replaceFullPath' : 'replacePrefixMatch';
  const other = path.type === 'ReplaceFullPath' ? 'replacePrefixMatch' : 'replaceFullPath';
  if (path[wanted] === undefined) refuse(sourceOf(path, 'type'), `${path.type} needs ${wanted}`, `${wanted}: /new`);
  if (path[other] !== undefined) refuse(sourceOf(path, other), `${other} does not go with ${path.type}`);
  if (path.type !== 'ReplacePrefixMatch') return;
  const matches = (rule.matches ?? []) as readonly { readonly path?: { readonly type?: string } }[];
  if (matches.length > 1 || matches.some((match) => (match.path?.type ?? 'PathPrefix') !== 'PathPrefix'))
    refuse(
      sourceOf(path, 'type'),
      'ReplacePrefixMatch needs exactly one match, and that with a PathPrefix: it says what is replaced',
      'a rule for each prefix',
    );
}

function checkMirror(mirror: NonNullable<HttpFilter['requestMirror']>, refuse: Refuse): void {
  const { percent, fraction, backendRef } = mirror;
  if (percent !== undefined && fraction !== undefined)
    refuse(sourceOf(mirror, 'fraction'), 'a mirror has percent or fraction, not both');
  if (fraction !== undefined && fraction.numerator > (fraction.denominator ?? 100))
    refuse(sourceOf(fraction, 'numerator'), 'numerator must be less than or equal to denominator');
  if ((backendRef.group ?? '') === '' && (backendRef.kind ?? 'Service') === 'Service' && backendRef.port === undefined)
    refuse(sourceOf(backendRef), `the mirror ${backendRef.name} has no port, and a Service needs one`, 'port: 80');
}
