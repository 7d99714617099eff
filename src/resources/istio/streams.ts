import { ANY_CALLER, destinationName, objectName, type RuleScope, type StreamRoutes } from '../../model/policies.js';
import { sourceOf } from '../../yaml/positions.js';
import { ofKind, type Resource } from '../resource.js';
import { fullHost, visibleTo } from '../words.js';
import { gatewaysOf } from './routes.js';
import type { TcpRoute, TlsRoute, VirtualService } from './virtual-service.js';

type Match = Pick<NonNullable<TcpRoute['match']>[number], 'port' | 'sourceLabels' | 'gateways' | 'sourceNamespace'> & {
  readonly sniHosts?: readonly string[];
};

/** What VirtualServices say of connections: their `tls` rules, then their `tcp` rules. */
export function streamRoutesOf(resources: readonly Resource[]): StreamRoutes[] {
  return ofKind<VirtualService>(resources, 'istio', 'VirtualService')
    .filter(({ spec }) => (spec.tcp ?? []).length + (spec.tls ?? []).length > 0)
    .map((service) => {
      const { hosts = [], gateways = ['mesh'], exportTo, tls = [], tcp = [] } = service.spec;
      return {
        object: service,
        hosts: hosts.map((host) => fullHost(host, service.namespace)),
        gateways: gatewaysOf(gateways, service.namespace),
        visibleTo: visibleTo(exportTo, service.namespace),
        created: service.created,
        rules: [
          ...tls.flatMap((rule, i) => rulesOf(service, rule, i)),
          ...tcp.flatMap((rule, i) => rulesOf(service, rule, tls.length + i)),
        ],
      };
    });
}

/** One rule for each of its matches. */
function rulesOf(service: Resource<VirtualService>, rule: TcpRoute | TlsRoute, index: number): StreamRoutes['rules'] {
  const { namespace } = service;
  const matches: readonly (Match | null)[] = (rule.match ?? []).length > 0 ? (rule.match ?? []) : [null];
  const route = rule.route ?? [];
  const destinations = route.map(({ destination: { host, port, subset }, weight }) => ({
    name: destinationName(fullHost(host, namespace), port?.number ?? null, subset ?? ''),
    weight: route.length === 1 ? 1 : (weight ?? 0),
  }));
  return matches.map((match, at) => ({
    scope: match === null ? ANY_CALLER : scopeOf(match, namespace),
    ...(match !== null && 'sniHosts' in match ? { sni: match.sniHosts ?? [] } : {}),
    destinations,
    origin: { object: objectName(service), rule: index, match: at, source: sourceOf(rule) },
  }));
}

function scopeOf({ port, sourceLabels, gateways, sourceNamespace }: Match, namespace: string): RuleScope {
  return {
    gateways: gateways === undefined || gateways.length === 0 ? null : gatewaysOf(gateways, namespace),
    sourceLabels: sourceLabels ?? {},
    sourceNamespace: sourceNamespace ?? null,
    port: port ?? null,
  };
}
