import type { RedirectAction, RouteMatch } from '../model/route.js';
import { hostName } from './host-name.js';
import { type TargetChange, targetChange } from './target-change.js';

const DEFAULT_PORTS = { http: '80', https: '443' } as const;

/** What a request asks for, as far as a redirect goes by it. */
export interface Asked {
  readonly host: string;
  readonly target: string;
}

/** The `Location` of a redirect, made ready once per configuration. Throws when its path is none. */
export function redirectTo(action: RedirectAction, { path }: RouteMatch): (asked: Asked) => string {
  const change = action.path === null ? null : targetChange(action.path, path);
  return (asked) => locationOf(action, change, asked);
}

/** Of a request that came by HTTP; what the action leaves out stays as it was asked. */
function locationOf(action: RedirectAction, change: TargetChange | null, { host, target }: Asked): string {
  const { scheme, port, path, dropsQuery = false } = action;
  const changed = change?.(target) ?? target;
  // A path that brings a query of its own has the last word.
  const whole = path?.kind === 'full' && (dropsQuery || path.value.includes('?')) ? path.value : changed;
  return `${scheme ?? 'http'}://${authorityOf(action, host)}${port === null ? '' : `:${port}`}${whole}`;
}

/** The host of the action, else that which was asked for, without a port that is replaced or was the old scheme's own. */
function authorityOf({ host, scheme, port, askedPort }: RedirectAction, asked: string): string {
  const name = hostName(asked);
  const own = asked.slice(name.length + 1);
  if (port !== null || askedPort === 'goes') return host ?? name;
  if (askedPort === 'stays')
    return host === null ? asked : own === '' || own === DEFAULT_PORTS[scheme ?? 'http'] ? host : `${host}:${own}`;
  if (host !== null) return host;
  return scheme === 'https' && own === DEFAULT_PORTS.http ? name : asked;
}
