import { literally } from '../../model/access-match.js';
import type { FieldMatch, RouteMatch } from '../../model/route.js';

/** Longer than any host name. */
const EXACT = 1_000;

/**
 * How specific a route's hostname is, before anything else that it matches: an exact one, a wildcard, none; of two the longer
 * (linkerd2-proxy linkerd/http/route, host.rs).
 */
export function hostRank(hostname: string | null): number {
  if (hostname === null) return 0;
  return hostname.length + (hostname.startsWith('*.') ? 0 : EXACT);
}

/** A match that is about requests for a hostname only, whatever their port; `*.` stands for one label or more. */
export function atHost(match: RouteMatch, hostname: string | null): RouteMatch {
  if (hostname === null) return match;
  const wild = hostname.startsWith('*.');
  const name = literally(wild ? hostname.slice(1) : hostname);
  const host: FieldMatch = {
    name: ':authority',
    kind: 'regex',
    value: `${wild ? '.+' : ''}${name}(:[0-9]+)?`,
    invert: false,
    missingAsEmpty: false,
  };
  return { ...match, fields: [host, ...match.fields] };
}
