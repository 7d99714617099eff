import type { Decision } from '../../model/exchange.js';
import type { Route, RouteMatch, VirtualHost } from '../../model/sidecar-config.js';
import type { Random } from '../../platform/random.js';
import type { FieldBlock } from '../codec/field-block.js';
import { hostName } from '../codec/target.js';
import { type Call, type ClusterState, type Filter, RoutedCall } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';

/** Routes and clusters as the newest configuration has them. */
export interface RoutingTable {
  /** Virtual hosts by port, then by domain. */
  readonly hosts: ReadonlyMap<number, ReadonlyMap<string, VirtualHost>>;
  readonly clusters: ReadonlyMap<string, ClusterState>;
}

export interface RouteParts {
  readonly table: () => RoutingTable;
  readonly random: Random;
  /** What to do with a host that no virtual host has; may throw. */
  readonly unknownHost: (call: Call) => RoutedCall;
}

/**
 * Finds the virtual host by name and port, the first route that matches (Istio's order), and by weight its cluster. A
 * virtual host without a matching route is a 404 (`NR`), never a fall-through to the plain service.
 */
export function route(parts: RouteParts): Filter<Call, RoutedCall> {
  return (next) => (call) => {
    const table = parts.table();
    const onPort = table.hosts.get(call.port);
    const virtualHost = onPort?.get(hostName(call.head.host)) ?? onPort?.get('*');
    if (virtualHost === undefined) return next(parts.unknownHost(call));
    call.record.service = virtualHost.name;
    const chosen = virtualHost.routes.find((candidate) => matches(candidate.match, call.head.target, call.head.fields));
    if (chosen === undefined) throw new ProxyError('route_not_found', virtualHost.name);
    const name = pickCluster(chosen, call, parts.random);
    const cluster = table.clusters.get(name);
    if (cluster === undefined) throw new ProxyError('cluster_not_found', name);
    call.record.decide(routeDecision(chosen, cluster));
    return next(new RoutedCall(call, chosen, cluster));
  };
}

/** Decisions are values: the same route and cluster give the same one, made once. */
const decisions = new WeakMap<ClusterState, Map<Route, Decision>>();

function routeDecision(chosen: Route, cluster: ClusterState): Decision {
  let ofCluster = decisions.get(cluster);
  if (ofCluster === undefined) {
    ofCluster = new Map();
    decisions.set(cluster, ofCluster);
  }
  let decision = ofCluster.get(chosen);
  if (decision === undefined) {
    const { service, subset } = cluster.config;
    const text = `route ${chosen.name} sent it to ${service}${subset === '' ? '' : ` ${subset}`}`;
    decision = { kind: 'route', text, rule: chosen.name, source: null };
    ofCluster.set(chosen, decision);
  }
  return decision;
}

function matches(match: RouteMatch, target: string, fields: FieldBlock): boolean {
  if (match.prefix !== '/' && !target.startsWith(match.prefix)) return false;
  for (const wanted of match.headers) if (!fields.has(wanted.name, wanted.exact)) return false;
  return true;
}

function pickCluster(chosen: Route, call: Call, random: Random): string {
  const { clusters } = chosen;
  if (clusters.length === 1) return (clusters[0] as { cluster: string }).cluster;
  let total = 0;
  for (const entry of clusters) total += entry.weight;
  if (total === 0) throw new ProxyError('cluster_not_found', 'all weights are 0');
  let point = random.decide(call.record.requestId, `split ${chosen.name}`) * total;
  for (const entry of clusters) {
    point -= entry.weight;
    if (point < 0) return entry.cluster;
  }
  return (clusters[clusters.length - 1] as { cluster: string }).cluster;
}
