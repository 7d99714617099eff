import type { TargetChange } from '../../matching/target-change.js';
import type { RedirectAction } from '../../model/route.js';
import { hostName } from '../codec/target.js';

const DEFAULT_PORTS = { http: '80', https: '443' } as const;

/** The `Location` of a redirect for a request that came by HTTP; what the action leaves out stays as it was asked. */
export function redirectLocation(
  { scheme, host, port, path }: RedirectAction,
  change: TargetChange | null,
  asked: { readonly host: string; readonly target: string },
): string {
  const authority = host ?? askedAuthority(asked.host, scheme, port !== null);
  const target = change?.(asked.target) ?? asked.target;
  // A path that brings a query of its own has the last word.
  const whole = path?.kind === 'full' && path.value.includes('?') ? path.value : target;
  return `${scheme ?? 'http'}://${authority}${port === null ? '' : `:${port}`}${whole}`;
}

/** The authority that was asked for, without a port that is replaced or was the old scheme's own. */
function askedAuthority(authority: string, scheme: 'http' | 'https' | null, replaced: boolean): string {
  const name = hostName(authority);
  if (replaced) return name;
  const own = authority.slice(name.length + 1);
  return scheme === 'https' && own === DEFAULT_PORTS.http ? name : authority;
}
