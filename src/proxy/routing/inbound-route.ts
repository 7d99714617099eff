import { ruleText } from '../../matching/consider.js';
import { headTest } from '../../matching/match.js';
import { redirectTo } from '../../matching/redirect-location.js';
import type { Decision } from '../../model/exchange.js';
import { type InboundRoute, saysAnything } from '../../model/inbound-route.js';
import type { InboundConfig, SidecarConfig } from '../../model/sidecar-config.js';
import type { RequestHead } from '../codec/message.js';
import { canonicalHost } from '../codec/target.js';
import type { Call, Filter, Reply } from '../pipeline/call.js';
import { checkChanges } from './compile-host.js';
import { redirectReply } from './own-answer.js';

/** The routes of each port made ready to be obeyed; null = there are none. */
export type InboundTable = ReadonlyMap<number, readonly InboundRouteAtWork[]> | null;

interface InboundRouteAtWork {
  readonly config: InboundRoute;
  readonly matches: (head: RequestHead) => boolean;
  /** Where a redirect leads; null = it is none. */
  readonly location: ((head: RequestHead) => string) | null;
  readonly changing: Decision | null;
  readonly redirecting: Decision;
}

/** Throws an Error that names the route when one of them cannot be obeyed: that is the NACK. */
export function inboundTable(routes: InboundConfig['routes']): InboundTable {
  if (routes === undefined) return null;
  return new Map(Object.entries(routes).map(([port, own]) => [Number(port), own.map(atWork)]));
}

function atWork(config: InboundRoute): InboundRouteAtWork {
  const { name, match, requestFields, host, redirect } = config;
  try {
    checkChanges(requestFields);
    if (host !== undefined) canonicalHost(host);
    return {
      config,
      matches: headTest(match),
      location: redirect === null ? null : redirectTo(redirect, match),
      changing: saysAnything({ ...config, redirect: null }) ? decisionOf(config, 'changed its fields') : null,
      redirecting: decisionOf(config, 'redirected it'),
    };
  } catch (error) {
    throw new Error(`the route ${name}: ${error instanceof Error ? error.message : error}`, { cause: error });
  }
}

function decisionOf(config: InboundRoute, what: string): Decision {
  return { kind: 'route', text: `${ruleText(config)} ${what}`, rule: config.name, source: config.origin.source };
}

/** Does what the first route says that a request meets: redirects it, or changes it for the app. */
export function obeyInboundRoute(
  table: () => InboundTable,
  errorField: () => SidecarConfig['errorField'],
): Filter<Call> {
  return (next) => (call) => {
    const ports = table();
    if (ports === null) return next(call);
    const route = ports.get(call.port)?.find(({ matches }) => matches(call.head));
    const reply = route === undefined ? null : redirected(call, route, errorField());
    if (reply !== null) return Promise.resolve(reply);
    if (route !== undefined && route.changing !== null) change(call, route.config, route.changing);
    return next(call);
  };
}

function redirected(
  call: Call,
  { config, location: of, redirecting }: InboundRouteAtWork,
  errorField: SidecarConfig['errorField'],
): Reply | null {
  if (of === null || config.redirect === null) return null;
  const { head, record, body } = call;
  const location = of(head);
  if (location === `http://${head.host}${head.target}`) return null;
  record.details = 'direct_response';
  record.decide(redirecting);
  body.abandon();
  const reply = redirectReply(config.redirect.status, location);
  // Linkerd's proxies say of this too why they answer.
  if (errorField !== undefined) reply.head.fields.append(errorField, 'redirected');
  return reply;
}

function change({ head, record }: Call, { requestFields, host }: InboundRoute, decision: Decision): void {
  if (requestFields !== null) head.fields.change(requestFields);
  if (host !== undefined) head.host = host;
  record.decide(decision);
}
