import type { CorsPolicy, PathChange, RedirectAction, TextMatch } from '../../model/route.js';
import type { HeaderOperations } from '../istio/virtual-service.js';
import type { CorsFilter, FieldModifier, HttpFilter, PathModifier, RedirectFilter } from './http-route.js';

/** The one filter of a type; more are not admitted. */
export function filterOf(filters: readonly HttpFilter[], type: HttpFilter['type']): HttpFilter | undefined {
  return filters.find((filter) => filter.type === type);
}

/** Of several entries for one name, in whatever case, the first counts. */
export function operationsOf(modifier: FieldModifier | undefined): HeaderOperations | undefined {
  if (modifier === undefined) return undefined;
  return { set: firstOf(modifier.set), add: firstOf(modifier.add), remove: modifier.remove ?? [] };
}

function firstOf(fields: FieldModifier['set'] = []): Record<string, string> {
  const first = new Map<string, string>();
  for (const { name, value } of fields) {
    const key = name.toLowerCase();
    if (!first.has(key)) first.set(key, value);
  }
  return Object.fromEntries(first);
}

/**
 * A redirect as Istio makes it (observed): the prefix is replaced as text, so that slashes double; a port that the scheme
 * has by itself is as if not said; without scheme and port the port that was called stays. `listener` = the port of the
 * Gateway's listener, null = the one of the Service.
 */
export function redirectOf(
  { scheme, hostname, path, port, statusCode = 302 }: RedirectFilter,
  listener: number | null,
): RedirectAction {
  const own = scheme === 'https' ? 443 : 80;
  const asked = port ?? (scheme === undefined ? listener : null);
  const text = path?.replaceFullPath ?? path?.replacePrefixMatch ?? '';
  const change: PathChange = { kind: path?.type === 'ReplaceFullPath' ? 'full' : 'prefix', value: text };
  return {
    kind: 'redirect',
    status: statusCode,
    scheme: scheme ?? null,
    host: hostname ?? null,
    port: asked === own ? null : asked,
    ...(port === undefined && scheme === undefined && listener === null ? { ownPort: true as const } : {}),
    path: text === '' ? null : change,
  };
}

/**
 * A change of path as Istio makes it (observed): slashes are joined, but `/` replaced by a text glues the two; in place of
 * nothing or `/` the prefix goes.
 */
export function rewrittenPath({
  type,
  replaceFullPath = '',
  replacePrefixMatch = '',
}: PathModifier): PathChange | null {
  if (type === 'ReplaceFullPath') return replaceFullPath === '' ? null : { kind: 'full', value: replaceFullPath };
  const prefix = replacePrefixMatch.replace(/\/$/, '');
  return prefix === '' ? { kind: 'segments', value: '/' } : { kind: 'prefix', value: prefix };
}

/** Every preflight is answered here, that of a stranger too, without naming it (observed). */
export function corsOf(cors: CorsFilter): CorsPolicy {
  return {
    allowOrigins: (cors.allowOrigins ?? []).filter((origin) => origin !== '').map(originOf),
    allowMethods: (cors.allowMethods ?? []).join(','),
    allowHeaders: (cors.allowHeaders ?? []).join(','),
    exposeHeaders: (cors.exposeHeaders ?? []).join(','),
    maxAgeSeconds: cors.maxAge ?? 5,
    allowCredentials: cors.allowCredentials ?? false,
    answerUnmatched: true,
  };
}

/** `*` is any origin that has a scheme, so not `null`; in `https://*.bar.com` it is any depth of names. */
function originOf(origin: string): TextMatch {
  if (origin === '*') return { kind: 'regex', value: '[a-zA-Z][a-zA-Z0-9+.-]*://.+' };
  if (!origin.includes('*')) return { kind: 'exact', value: origin };
  return { kind: 'regex', value: origin.replace(/[.*+?^${}()|[\]\\]/g, (char) => (char === '*' ? '.*' : `\\${char}`)) };
}
