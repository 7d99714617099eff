import { sourceOf } from '../../yaml/positions.js';
import type { EnvoyFilter, EnvoyPatch } from '../istio/envoy-filter.js';
import { ofKind } from '../resource.js';
import type { Tell, World } from './world.js';

/** Operations whose outcome depends on what the other filters have done before. */
const RELATIVE = ['INSERT_BEFORE', 'INSERT_AFTER', 'MERGE', 'REMOVE', 'REPLACE'];
/** Where patches are merged alone: ADD and REMOVE are ignored. */
const MERGED = ['ROUTE_CONFIGURATION', 'HTTP_ROUTE'];
const REPLACEABLE = ['NETWORK_FILTER', 'HTTP_FILTER'];

/** Patches of EnvoyFilters that Istio ignores, or applies in an order that is chance (istioctl's EnvoyPatchAnalyzer). */
export function analyzeEnvoyFilters({ resources }: World, tell: Tell): void {
  /** Filters that patches before were about, for some versions of the proxy only. */
  const versioned = new Set<string>();
  for (const filter of ofKind<EnvoyFilter>(resources, 'istio', 'EnvoyFilter'))
    for (const entry of filter.spec.configPatches ?? []) {
      if (entry.patch === undefined) break;
      const about = (code: string, level: 'error' | 'warning', message: string, hint: string): void =>
        tell(code, level, filter, sourceOf(entry.patch ?? entry, 'operation'), message, { hint });
      const { applyTo = '', patch } = entry;
      const { operation = '' } = patch;
      const misuse = misuseOf(operation, applyTo);
      if (misuse !== null) about(misuse.code, 'error', misuse.message, misuse.hint);
      else if (RELATIVE.includes(operation) && (filter.spec.priority ?? 0) === 0)
        if (versioned.has(targetOf(entry)))
          about(
            'IST0155',
            'warning',
            `${operation} depends on what other EnvoyFilters did before, one of them is for some versions of the proxy only, and this one has no priority: during an upgrade it may not be applied`,
            'priority: 10',
          );
        else
          about(
            'IST0151',
            'warning',
            `${operation} depends on what other EnvoyFilters did before, and this one has no priority: it may not be applied`,
            'priority: 10, or operation: INSERT_FIRST or ADD',
          );
      if ((entry.match?.proxy?.proxyVersion ?? '') !== '') versioned.add(targetOf(entry));
    }
}

interface Misuse {
  readonly code: string;
  readonly message: string;
  readonly hint: string;
}

function misuseOf(operation: string, applyTo: string): Misuse | null {
  if (operation === 'REPLACE' && !REPLACEABLE.includes(applyTo))
    return {
      code: 'IST0152',
      message: `REPLACE is for HTTP_FILTER and NETWORK_FILTER, and not for ${applyTo}: the patch has no effect`,
      hint: 'operation: MERGE',
    };
  if ((operation === 'ADD' || operation === 'REMOVE') && MERGED.includes(applyTo))
    return {
      code: operation === 'ADD' ? 'IST0153' : 'IST0154',
      message: `${operation} is ignored for ${applyTo}`,
      hint: 'operation: MERGE',
    };
  return null;
}

/** The filter that a patch is about, by its value's name or the one that it matches. */
function targetOf({ match, patch }: EnvoyPatch): string {
  return patch?.value?.name ?? match?.listener?.filterChain?.filter?.name ?? '';
}
