import { consider, ruleText } from '../../matching/consider.js';
import { hostName } from '../../matching/host-name.js';
import type { Decision } from '../../model/exchange.js';
import { destinationOf } from '../../model/policies.js';
import type { FieldChanges, ForwardAction, WeightedCluster } from '../../model/route.js';
import type { OutboundConfig } from '../../model/sidecar-config.js';
import type { Random } from '../../platform/random.js';
import { type Call, type Filter, type Reply, RoutedCall, type RoutePolicy } from '../pipeline/call.js';
import type { ClusterState } from '../pipeline/cluster.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import type { CorsVerdict, HostAtWork, HostTable, MatchedCall, RouteAtWork } from '../pipeline/routes.js';
import { rendered } from './field-format.js';

/** Routes and clusters as the newest configuration has them. */
export interface RoutingTable {
  /** Virtual hosts by port. */
  readonly hosts: ReadonlyMap<number, HostTable>;
  readonly clusters: ReadonlyMap<string, ClusterState>;
  readonly config: { readonly outbound: Pick<OutboundConfig, 'routesBy'> };
}

export interface MatchParts {
  readonly table: () => RoutingTable;
  readonly random: Random;
  /** The gateway: its virtual hosts are names of the outside, and no services. */
  readonly edge: boolean;
}

/**
 * Finds the virtual host by name and port, the first route that matches, and its share of a split; answers preflights.
 * A virtual host without a matching route is a 404 (`NR`), never a fall-through to the plain service.
 */
export function matchRoute({ table, random, edge }: MatchParts): Filter<Call, MatchedCall> {
  return (next) => (call) => {
    const host = hostOf(call, table());
    if (host === undefined) return next({ call, route: null, weighted: null });
    if (!edge) call.record.service = host.name;
    // `OPTIONS *` is about no path, and met by no rule (Envoy).
    if (call.head.target === '*') throw new ProxyError('no_path', host.name);
    if (host.routes.length > 1) remember(call, host);
    const route = host.routes.find(({ matches }) => matches(call.head));
    if (route === undefined) throw new ProxyError('route_not_found', host.name);
    const { action, responseFields } = route.config;
    const cors = route.cors === null ? null : route.cors(call.head);
    if (cors !== null && cors.reply !== null) return Promise.resolve(preflight(call, cors, cors.reply));
    const weighted = action.kind === 'forward' ? pickCluster(action, route.config.name, call, random) : null;
    if (edge && weighted !== null)
      call.record.service =
        table().clusters.get(weighted.cluster)?.config.service ?? destinationOf(weighted.cluster).host;
    const ofCluster = weighted === null ? null : weighted.responseFields;
    if (ofCluster !== null || responseFields !== null || cors !== null)
      call.replyChanges = [ofCluster, responseFields, cors?.changes ?? null]
        .filter(isChange)
        .map((changes) => rendered(changes, call));
    return next({ call, route, weighted });
  };
}

/**
 * By the address that was called, where that decides and is a service's; else by the name. A loopback port that stands for a
 * service is no address of anybody outside, so that a name from there goes its own way.
 */
function hostOf(call: Call, { hosts, config }: RoutingTable): HostAtWork | undefined {
  const onPort = hosts.get(call.port);
  const named = onPort?.find(hostName(call.head.host));
  if (config.outbound.routesBy !== 'address' || (named === undefined && call.explicit)) return named;
  return onPort?.own(call.originalAddress) ?? named;
}

/** Keeps what the rules see of a request, for whoever asks later why this one and not that one. */
function remember(call: Call, { routes }: HostAtWork): void {
  const { method, target, host, fields } = call.head;
  const subject = { method, target, host, fields: fields.clone() };
  call.record.considered = () =>
    consider(
      routes.map(({ config }) => config),
      subject,
    );
}

export interface DestinationParts {
  readonly table: () => RoutingTable;
  /** What to do with a host that no virtual host has; may throw. */
  readonly unknownHost: (call: Call) => RoutedCall;
  /** The address that the app called, as a cluster. */
  readonly original: (call: Call, cluster: ClusterState) => ClusterState;
}

/** Does what the route wants: gives an answer of our own, or prepares the request for its cluster. */
export function toDestination({ table, unknownHost, original }: DestinationParts): Filter<MatchedCall, RoutedCall> {
  return (next) =>
    ({ call, route, weighted }) => {
      if (route === null) return next(unknownHost(call));
      if (weighted === null) return Promise.resolve(answer(call, route));
      const cluster = table().clusters.get(weighted.cluster);
      if (cluster === undefined) {
        call.record.decide(nowhere(route, weighted));
        throw new ProxyError(missing(route.config.action as ForwardAction), weighted.cluster);
      }
      call.record.decide(routeDecision(route, cluster));
      prepare(call, route, weighted, (route.config.action as ForwardAction).requestFields);
      const target = cluster.config.passthrough ? original(call, cluster) : cluster;
      return next(new RoutedCall(call, route.policy as RoutePolicy, target));
    };
}

/** A rule that was met and leads to what does not exist: it is its rule that must be mended. */
function nowhere({ config }: RouteAtWork, { cluster }: WeightedCluster): Decision {
  const { host, port, subset } = destinationOf(cluster);
  const where = `${host}:${port}${subset === '' ? '' : ` ${subset}`}`;
  const text = `${ruleText(config)} sends it to ${where}, which does not exist`;
  return { kind: 'route', text, rule: config.name, source: config.origin?.source ?? null };
}

function missing({ missingStatus }: ForwardAction): 'backend_not_found' | 'cluster_not_found' {
  return missingStatus === 500 ? 'backend_not_found' : 'cluster_not_found';
}

/** A redirect or a direct response: Envoy's word for both is `direct_response`, and no flag is set. */
function answer(call: Call, { config, answer: make }: RouteAtWork) {
  call.record.details = 'direct_response';
  const what = config.action.kind === 'redirect' ? 'redirected it' : 'answered it';
  call.record.decide({
    kind: 'route',
    text: `${ruleText(config)} ${what}`,
    rule: config.name,
    source: config.origin?.source ?? null,
  });
  call.body.abandon();
  return (make as NonNullable<typeof make>)(call);
}

/** The answer to a preflight: no app is asked, and the route's own field changes are for its answers (Envoy). */
function preflight(call: Call, { changes }: CorsVerdict, reply: Reply): Reply {
  if (changes !== null) call.replyChanges = [changes];
  call.record.details = 'cors_response';
  call.body.abandon();
  return reply;
}

function isChange(changes: FieldChanges | null): changes is FieldChanges {
  return changes !== null;
}

/** Fields first, the more specific before the other, then authority and path (Envoy's order). */
function prepare(call: Call, chosen: RouteAtWork, weighted: WeightedCluster, ofRoute: FieldChanges | null): void {
  if (weighted.requestFields !== null) call.head.fields.change(rendered(weighted.requestFields, call));
  if (
    weighted.host !== undefined &&
    chosen.config.action.kind === 'forward' &&
    (chosen.config.action.rewrite?.host ?? null) === null
  ) {
    // Of a host that only a share of the requests gets, Envoy tells no original.
    call.head.host = weighted.host;
  }
  if (ofRoute !== null) call.head.fields.change(rendered(ofRoute, call));
  if (chosen.rewrite !== null) chosen.rewrite(call.head);
}

/** Decisions are values: the same route and cluster give the same one. */
const decisions = new WeakMap<ClusterState, Map<RouteAtWork, Decision>>();

function routeDecision(chosen: RouteAtWork, cluster: ClusterState): Decision {
  let ofCluster = decisions.get(cluster);
  if (ofCluster === undefined) {
    ofCluster = new Map();
    decisions.set(cluster, ofCluster);
  }
  let decision = ofCluster.get(chosen);
  if (decision === undefined) {
    const { service, subset } = cluster.config;
    const { name } = chosen.config;
    const text = `${ruleText(chosen.config)} sent it to ${service}${subset === '' ? '' : ` ${subset}`}`;
    decision = { kind: 'route', text, rule: name, source: chosen.config.origin?.source ?? null };
    ofCluster.set(chosen, decision);
  }
  return decision;
}

function pickCluster({ clusters }: ForwardAction, name: string, call: Call, random: Random): WeightedCluster {
  if (clusters.length === 1) return clusters[0] as WeightedCluster;
  let total = 0;
  for (const entry of clusters) total += entry.weight;
  if (total === 0) throw new ProxyError('cluster_not_found', 'all weights are 0');
  let point = random.decide(call.record.requestId, `split ${name}`) * total;
  for (const entry of clusters) {
    point -= entry.weight;
    if (point < 0) return entry;
  }
  return clusters[clusters.length - 1] as WeightedCluster;
}
