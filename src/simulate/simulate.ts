import { canonicalTarget, PathError } from '../matching/canonical-target.js';
import { consider, ruleText } from '../matching/consider.js';
import type { Subject } from '../matching/match.js';
import { targetChange } from '../matching/target-change.js';
import type { Cluster, Endpoint, OriginatedTls } from '../model/cluster.js';
import type { Consideration, Security } from '../model/exchange.js';
import type { FailureCode } from '../model/failure.js';
import { FAILURES } from '../model/failure.js';
import type { Slashes } from '../model/limits.js';
import { PORTS } from '../model/names.js';
import type { ForwardAction, PathMatch, RetryPolicy, RouteFault } from '../model/route.js';
import type { InboundConfig, MtlsMode, SidecarConfig, VirtualHost } from '../model/sidecar-config.js';
import type { SourceRef } from '../model/source.js';
import { type AccessAnswer, type Arriving, accessAt } from './access.js';
import { hostFor } from './hosts.js';
import { type InboundAnswer, inboundRouteAt } from './inbound-route.js';
import { mtlsAt, refusalOf } from './mtls.js';
import { type DescribedRequest, nameOf, subjectOf } from './request.js';

/** A share of a route's requests, and what would come of it. */
export interface Share {
  readonly cluster: string;
  readonly service: string;
  readonly subset: string;
  /** 0-100. */
  readonly percent: number;
  /** Workloads that are ready. */
  readonly endpoints: readonly string[];
  readonly tls: Security['mode'];
  /** Those of them that are spoken to in plaintext although others are not. */
  readonly plain: readonly string[];
  /** Those of them that take plaintext only, so that it is spoken to them. */
  readonly plainOnly: readonly string[];
  /** What asks for TLS without identities of the mesh; null = nothing. */
  readonly originated: OriginatedTls | null;
  /** What the authorization of each of them says; empty = no policy is about any. */
  readonly access: readonly AccessAnswer[];
  /** What the routes of each of them that lets it in make of it; empty = it reaches their apps as it is. */
  readonly inbound: readonly InboundAnswer[];
  /** Status with which the sidecars of all of them answer in place of their apps; null = an app is asked. */
  readonly redirected: number | null;
  /** Why none of it arrives; null = it does. */
  readonly failure: FailureCode | null;
}

/** What the mesh would do with a request that is only described. */
export interface Simulation {
  /** It enters by the gateway, whose hosts are no services. */
  readonly edge: boolean;
  /** What the gateway's own authorization says, before it looks for a route; null = it has none, or this is no gateway. */
  readonly entry: AccessAnswer | null;
  /** Virtual host that its name belongs to; null = none. */
  readonly host: string | null;
  readonly considered: readonly Consideration[];
  readonly route: { readonly name: string; readonly rule: string; readonly source: SourceRef | null } | null;
  /** The mesh's own answer, where no app is asked. */
  readonly answer: { readonly kind: 'redirect' | 'direct'; readonly status: number; readonly body: string } | null;
  readonly failure: FailureCode | null;
  readonly shares: readonly Share[];
  readonly fault: RouteFault | null;
  readonly timeoutMs: number | null;
  readonly retry: RetryPolicy | null;
  readonly mirrors: readonly { readonly cluster: string; readonly percent: number }[];
}

const NOTHING: Simulation = {
  edge: false,
  entry: null,
  host: null,
  considered: [],
  route: null,
  answer: null,
  failure: null,
  shares: [],
  fault: null,
  timeoutMs: null,
  retry: null,
  mirrors: [],
};

/** What a host that nobody declared is answered; null = it is passed on. */
const UNKNOWN_HOST = { 'allow-any': null, 'registry-only': 'host_unknown', denied: 'egress_denied' } as const;

/**
 * Follows a described request through the configuration of its caller's sidecar, with the matching that the sidecar itself
 * uses. Pure; `inboundOf` = what the callee's sidecar asks, null where none stands.
 */
export function simulate(
  request: DescribedRequest,
  config: SidecarConfig,
  inboundOf: (workload: string) => InboundConfig | null,
): Simulation {
  const { outbound, workload, role } = config;
  const edge = role === 'gateway';
  const name = nameOf(request.host);
  // The gateway has one port, whichever was meant outside; an app writes the port of the service that it calls.
  const port = edge ? PORTS.gateway : (request.port ?? portOf(outbound.virtualHosts, name, request.host));
  const host = hostFor(outbound.virtualHosts, name, port);
  const subject = canonical(subjectOf(edge ? request : { ...request, port }), outbound.slashes);
  const entry = edge && subject !== null ? entryOf(subject, config) : null;
  const entered = { ...NOTHING, edge, entry };
  if (entry?.allowed === false) return { ...entered, failure: entry.failure };
  if (host === null) return { ...entered, failure: edge ? 'route_not_found' : UNKNOWN_HOST[outbound.unknownHosts] };
  if (subject === null) return { ...entered, host: host.name, failure: 'path_normalization_failed' };
  const considered = consider(host.routes, subject);
  const met = considered.findIndex(({ why }) => why === '');
  const route =
    met < 0 ? host.routes.find((candidate) => consider([candidate], subject)[0]?.why === '') : host.routes[met];
  if (route === undefined) return { ...entered, host: host.name, considered, failure: 'route_not_found' };
  const found = {
    ...entered,
    host: host.name,
    considered,
    route: { name: route.name, rule: ruleText(route), source: route.origin?.source ?? null },
    fault: route.fault,
  };
  const { action } = route;
  if (action.kind === 'direct')
    return { ...found, answer: { kind: 'direct', status: action.status, body: action.body } };
  if (action.kind === 'redirect') return { ...found, answer: { kind: 'redirect', status: action.status, body: '' } };
  return {
    ...found,
    shares: sharesOf(action, outbound.clusters, {
      inboundOf,
      subject: changed(subject, action, route.match.path),
      principal: workload.spiffeId,
    }),
    timeoutMs: action.timeoutMs,
    retry: action.retry,
    mirrors: action.mirrors.map(({ cluster, percent }) => ({ cluster, percent })),
  };
}

/** Who enters is asked for first, and is nobody whom the mesh knows. */
function entryOf(subject: Subject, { workload, inbound }: SidecarConfig): AccessAnswer | null {
  const arriving = { workload: workload.name, principal: '', port: PORTS.gateway, protocol: 'http', subject } as const;
  return accessAt(arriving, inbound);
}

/** A request as a sidecar sees it; null = it has no path that is one. */
function canonical(subject: Subject, slashes?: Slashes): Subject | null {
  try {
    return { ...subject, target: canonicalTarget(subject.target, slashes) };
  } catch (error) {
    if (error instanceof PathError) return null;
    throw error;
  }
}

/** A request as its route sends it on. */
function changed(subject: Subject, { rewrite }: ForwardAction, match: PathMatch): Subject {
  const change = rewrite?.path == null ? null : targetChange(rewrite.path, match);
  return { ...subject, target: change?.(subject.target) ?? subject.target };
}

/** The port that a host names, else the first on which it is known. */
function portOf(hosts: readonly VirtualHost[], name: string, host: string): number {
  const named = /:(\d+)$/.exec(host)?.[1];
  const known = hosts.filter(({ domains }) => domains.includes(name)).map(({ port }) => port);
  const wanted = named === undefined ? undefined : Number(named);
  const wild = hosts.map(({ port }) => port).find((port) => hostFor(hosts, name, port) !== null);
  return known.find((port) => port === wanted) ?? known[0] ?? wanted ?? wild ?? 80;
}

interface Calling {
  readonly inboundOf: (workload: string) => InboundConfig | null;
  readonly subject: Subject;
  /** SPIFFE ID of the caller. */
  readonly principal: string;
}

function sharesOf(action: ForwardAction, clusters: readonly Cluster[], calling: Calling): Share[] {
  const total = action.clusters.reduce((sum, { weight }) => sum + weight, 0);
  return action.clusters.map(({ cluster: name, weight, host }) => {
    const cluster = clusters.find((candidate) => candidate.name === name);
    const [, , subset = '', service = ''] = name.split('|');
    const percent = action.clusters.length === 1 ? 100 : total === 0 ? 0 : (weight / total) * 100;
    if (cluster === undefined)
      return {
        cluster: name,
        service,
        subset,
        percent,
        endpoints: [],
        access: [],
        inbound: [],
        redirected: null,
        tls: 'plain',
        plain: [],
        plainOnly: [],
        originated: null,
        failure: action.missingStatus === 500 ? 'backend_not_found' : 'cluster_not_found',
      };
    const encrypted = cluster.tls !== null && cluster.endpoints.some(({ tls }) => tls);
    const originates = cluster.originate !== undefined;
    const asks = ({ workload }: Endpoint): MtlsMode | null => mtlsAt(cluster.port, calling.inboundOf(workload));
    const refusal = cluster.endpoints
      .map((one) => refusalOf(asks(one), { mutual: encrypted && one.tls, originates }, cluster.protocol))
      .find((code) => code !== null);
    const plain = originates ? [] : cluster.endpoints.filter(({ tls }) => !(encrypted && tls));
    const found = {
      cluster: name,
      service: cluster.service,
      subset: cluster.subset,
      percent,
      endpoints: cluster.endpoints.map(({ workload }) => workload),
      tls: cluster.originate !== undefined ? ('tls' as const) : encrypted ? ('mtls' as const) : ('plain' as const),
      plain: encrypted ? plain.map(({ workload }) => workload) : [],
      plainOnly: plain.filter((one) => asks(one) === 'disable').map(({ workload }) => workload),
      originated: cluster.originate ?? null,
      access: [],
      inbound: [],
      redirected: null,
    };
    const subject = canonical(calling.subject);
    if (subject === null) return { ...found, failure: 'path_normalization_failed' };
    const arriving = cluster.endpoints.map(({ workload, tls }) => ({
      workload,
      principal: encrypted && tls ? calling.principal : '',
      port: cluster.port,
      // What is described is a request, whatever else may come there.
      protocol: cluster.protocol === 'tcp' ? ('tcp' as const) : ('http' as const),
      subject: { ...subject, host: host ?? action.rewrite?.host ?? subject.host },
    }));
    return { ...found, ...atCallees(arriving, cluster, refusal ?? null, calling.inboundOf) };
  });
}

/** What the sidecars of a share's callees decide: who is kept out is sent nowhere. */
function atCallees(
  arriving: readonly Arriving[],
  cluster: Cluster,
  refusal: FailureCode | null,
  inboundOf: Calling['inboundOf'],
): Pick<Share, 'access' | 'inbound' | 'redirected' | 'failure'> {
  const access = arriving.flatMap((one) => accessAt(one, inboundOf(one.workload)) ?? []);
  const letIn = arriving.filter((one) => access.every(({ workload, allowed }) => workload !== one.workload || allowed));
  const inbound = letIn.flatMap((one) => inboundRouteAt(one, inboundOf(one.workload)) ?? []);
  const failure = shareFailure(cluster, refusal, access);
  const all = failure === null && inbound.length === letIn.length && inbound.every(({ status }) => status !== null);
  return { access, inbound, redirected: all ? (inbound[0]?.status ?? null) : null, failure };
}

/** Why none of a share arrives: some of its callees letting it in is enough for a null. */
function shareFailure(
  { endpoints, originate }: Cluster,
  refusal: FailureCode | null,
  access: readonly AccessAnswer[],
): FailureCode | null {
  if (endpoints.length === 0) return 'no_healthy_upstream';
  if (originate?.roots.kind === 'none') return 'tls_failure';
  if (refusal !== null) return refusal;
  if (access.length !== endpoints.length || access.some(({ allowed }) => allowed)) return null;
  return access[0]?.failure ?? 'access_denied';
}

/** The status that a share would be answered with by the mesh; null = the app answers. */
export function statusOf({ failure, redirected }: Pick<Share, 'failure' | 'redirected'>): number | null {
  return failure === null ? redirected : FAILURES[failure].status;
}
