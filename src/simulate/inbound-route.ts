import { ruleText } from '../matching/consider.js';
import { headTest } from '../matching/match.js';
import { redirectTo } from '../matching/redirect-location.js';
import { type InboundRoute, saysAnything } from '../model/inbound-route.js';
import type { InboundConfig } from '../model/sidecar-config.js';
import type { SourceRef } from '../model/source.js';
import { type Arriving, portAt } from './access.js';

/** What the routes of a callee make of a described request that was let in. */
export interface InboundAnswer {
  readonly workload: string;
  /** `rule 1 of HTTPRoute default/reviews` */
  readonly rule: string;
  /** `rule 1 of HTTPRoute default/reviews changes its fields` */
  readonly text: string;
  readonly source: SourceRef;
  /** What the callee's sidecar itself answers; null = its app is asked. */
  readonly status: number | null;
}

/** The first route that is met, by the tests that its sidecar uses; null = none says anything. */
export function inboundRouteAt(arriving: Arriving, inbound: InboundConfig | null): InboundAnswer | null {
  const { workload, protocol, subject } = arriving;
  if (inbound?.routes === undefined || protocol !== 'http') return null;
  const route = inbound.routes[portAt(arriving, inbound)]?.find(({ match }) => headTest(match)(subject));
  if (route === undefined) return null;
  const status = redirectedWith(route, subject);
  if (status === null && !saysAnything({ ...route, redirect: null })) return null;
  const rule = ruleText(route);
  const text = `${rule} ${status === null ? 'changes its fields' : 'sends the caller elsewhere'}`;
  return { workload, rule, text, source: route.origin.source, status };
}

function redirectedWith({ redirect, match }: InboundRoute, { host, target }: Arriving['subject']): number | null {
  if (redirect === null) return null;
  return redirectTo(redirect, match)({ host, target }) === `http://${host}${target}` ? null : redirect.status;
}
