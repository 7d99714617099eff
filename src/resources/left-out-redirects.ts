import { edgeRulesOf, isLeftOut } from '../model/edge.js';
import { type Finding, READING } from '../model/finding.js';
import type { FlavorName } from '../model/flavor.js';
import { gatewayListenersOf, gatewayRouteSetsOf } from './gateway-api/routes.js';
import { gatewayPoliciesOf } from './istio/others.js';
import { routeSetsOf } from './istio/routes.js';
import type { Resource } from './resource.js';

/** Redirects from HTTP to HTTPS that are left out at the gateway, since it has one port for both. */
export function leftOutRedirects(resources: readonly Resource[], flavor: FlavorName): Finding[] {
  const gateways = [...gatewayPoliciesOf(resources), ...gatewayListenersOf(resources)];
  if (!gateways.some(({ hosts }) => hosts.some(({ secure }) => secure))) return [];
  const all = edgeRulesOf(gateways, [...routeSetsOf(resources), ...gatewayRouteSetsOf(resources, flavor)]);
  const told = new Map<string, Finding>();
  for (const one of all.filter((rule) => isLeftOut(rule, all))) {
    const { origin } = one.rule.route;
    if (origin === undefined) continue;
    const { object, source } = origin;
    told.set(`${object} ${source.file}:${source.line}`, {
      code: READING.unsupportedField,
      level: 'warning',
      object,
      source,
      message: `the redirect of ${one.host} to https is left out: the sandbox's gateway has one port, in plaintext, where what is bound for HTTPS answers`,
      hint: '',
    });
  }
  return [...told.values()];
}
