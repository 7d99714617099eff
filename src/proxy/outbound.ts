import { tlsTo } from '../model/cluster.js';
import type { Attempt } from '../model/exchange.js';
import { isVirtual } from '../model/names.js';
import type { Clock } from '../platform/clock.js';
import type { Random } from '../platform/random.js';
import type { AccessTable } from './authorization/access-table.js';
import { authorize } from './authorization/authorize.js';
import { chooseEndpoint } from './balancing/endpoint.js';
import { observeEndpoints } from './circuit-breaking/observe.js';
import { originalDestination, plainCluster, type SidecarState } from './discovery/state.js';
import { injectConnectionFaults } from './fault-injection/connection-fault.js';
import type { FaultLedger } from './fault-injection/ledger.js';
import { injectRouteFaults } from './fault-injection/route-fault.js';
import { SOURCE_FIELD, sanitizeEdgeRequest, sanitizeRequest } from './headers/sanitize.js';
import { lineageLines } from './lineage/fields.js';
import { inheritLineage } from './lineage/lineage.js';
import type { LineageTable } from './lineage/table.js';
import { type MemoryGuard, shed } from './listener/overload.js';
import { mirror } from './mirroring/mirror.js';
import type { TlsOrigination } from './mtls/originated-tls.js';
import { serverNameOf, type TlsIdentity } from './mtls/tls-identity.js';
import {
  type AttemptCall,
  type Call,
  type EndpointCall,
  type Filter,
  type Handler,
  RoutedCall,
} from './pipeline/call.js';
import type { ClusterState } from './pipeline/cluster.js';
import { PLAIN } from './pipeline/exchange-record.js';
import { pipeline } from './pipeline/pipeline.js';
import { asProxyError, ProxyError } from './pipeline/proxy-error.js';
import { rescue } from './pipeline/rescue.js';
import { attempts } from './retries/attempts.js';
import { matchRoute, toDestination } from './routing/route.js';
import type { Recorder } from './telemetry/recorder.js';
import { trace } from './telemetry/trace.js';
import { deadline, perTryDeadline } from './timeouts/deadline.js';
import type { TokenTable } from './tokens/token-table.js';
import { verifyTokens } from './tokens/verify-tokens.js';
import { type Connected, termsOf } from './upstream/acquire.js';
import { openPlain, openSocket } from './upstream/connect.js';
import { forward } from './upstream/forward.js';
import type { UpstreamPool } from './upstream/pool.js';

export interface OutboundParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly state: () => SidecarState;
  readonly identity: TlsIdentity;
  readonly origination: TlsOrigination;
  readonly pool: UpstreamPool;
  readonly recorder: Recorder;
  readonly workload: string;
  readonly memory: MemoryGuard;
  readonly lineages: LineageTable;
  readonly faults: FaultLedger;
  readonly tokens: () => TokenTable;
  readonly access: () => AccessTable;
  /** The gateway: callers are outside the mesh. */
  readonly edge: boolean;
  readonly onBug: (error: ProxyError) => void;
}

/** The way of a request from the app (or, at the gateway, from outside) to another workload, in the order it is met. */
export function outboundPipeline(parts: OutboundParts): Handler<Call> {
  const { clock, random, recorder, workload } = parts;
  const onAttempt = (call: Call, attempt: Attempt) => recorder.attempt(workload, call.record.service, attempt);
  const connect = (call: EndpointCall) => connectTo(call, parts);
  const bodyBytes = (): number => parts.state().config.limits.replayBytes;
  const source = `${SOURCE_FIELD}: ${workload}\r\n`;
  const extra = (call: EndpointCall) => extraFields(call, source, parts);
  const toEndpoint = pipeline<AttemptCall>()
    .through(perTryDeadline(clock)) // behind the retries: a slow try may be followed by another
    .through(chooseEndpoint(clock)) // AttemptCall -> EndpointCall; each try chooses anew
    .through(injectConnectionFaults(connectionFaults(parts))) // the endpoint is known
    .through(observeEndpoints()) // nearest to the endpoint: what it sees is the endpoint's doing
    .end(forward({ clock, pool: parts.pool, connect, extra }));
  return pipeline<Call>()
    .through(rescue(parts.onBug, () => parts.state().config.errorField)) // first: whatever fails below becomes an answer here, once
    .through(shed(parts.memory)) // before anything is made for a request that there is no room for
    .through(parts.edge ? sanitizeEdgeRequest() : sanitizeRequest()) // before anything reads what only sidecars may say
    .through(trace(random, parts.edge, () => parts.state().config.samplePercent ?? 100)) // before any decision: decisions are keyed by the request id
    .through(guard(parts)) // the edge is where strangers arrive: who may enter is asked before anything is decided
    .through(inheritLineage(parts.lineages, () => parts.state().config.limits.hops)) // the ids are known
    .through(matchRoute({ table: parts.state, random, edge: parts.edge })) // Call -> MatchedCall
    .through(injectRouteFaults({ clock, random })) // before the timeout and the tries: no retry meets them
    .through(toDestination({ table: parts.state, unknownHost: (call) => unknownHost(call, parts), original })) // -> RoutedCall
    .through(mirror({ clock, random, clusters: () => parts.state().clusters, bodyBytes, send: toEndpoint })) // the request is ready
    .through(deadline(clock)) // before the retries: covers all tries and the pauses between them
    .through(attempts({ clock, random, onAttempt, replayBytes: bodyBytes })) // RoutedCall -> AttemptCall, once per try
    .end(toEndpoint);
}

/** At the gateway tokens and authorization hold as at a callee; an app's own calls leave unasked. */
function guard({ edge, clock, tokens, access }: OutboundParts): Filter<Call> {
  if (!edge) return (next) => next;
  const verify = verifyTokens(clock, tokens);
  const ask = authorize(access);
  return (next) => verify(ask(next));
}

/** Hosts that nobody declared: Istio's ALLOW_ANY passes them on to where they were going, REGISTRY_ONLY answers 502. */
function unknownHost(call: Call, parts: OutboundParts): RoutedCall {
  if (parts.edge) throw new ProxyError('route_not_found', call.head.host);
  const state = parts.state();
  const { record } = call;
  const known = state.listeners.get(`${call.originalAddress}:${call.port}`);
  const { unknownHosts } = state.config.outbound;
  const forbidden = unknownHosts !== 'allow-any';
  // One name for all of them, as Istio has it: what callers may invent must not become figures of its own.
  record.service = known?.service ?? (forbidden ? 'BlackHoleCluster' : 'PassthroughCluster');
  if (forbidden) throw new ProxyError(unknownHosts === 'denied' ? 'egress_denied' : 'host_unknown', call.head.host);
  if (call.originalAddress === '' || known !== undefined) throw new ProxyError('route_not_found', call.head.host);
  record.decide({
    kind: 'passthrough',
    text: `${call.head.host} is not in the mesh: passed on as it is`,
    rule: 'PassthroughCluster',
    source: null,
  });
  const cluster = plainCluster('PassthroughCluster', call.originalAddress, call.port, call.head.host);
  return new RoutedCall(call, PASSTHROUGH_ROUTE, cluster);
}

/** Where connections go where they were going; where that is an address of ours the name is asked. */
function original(call: Call, cluster: ClusterState): ClusterState {
  const name = call.head.host.replace(/:\d+$/, '');
  const known = call.originalAddress !== '' && !isVirtual(call.originalAddress);
  return originalDestination(cluster, known ? call.originalAddress : name, call.port);
}

const PASSTHROUGH_ROUTE = { name: 'allow_any', timeoutMs: null, retry: null, hash: [], mirrors: [] } as const;

async function connectTo(call: EndpointCall, parts: OutboundParts): Promise<Connected> {
  const { cluster } = call.attempt.routed;
  const { config } = cluster;
  const { address, port } = call.endpoint.config;
  const tls = tlsTo(config, call.endpoint.config);
  const terms = termsOf(config, cluster, parts.clock);
  const started = parts.clock.monotonic();
  if (call.sabotage === 'dns-failure') throw new ProxyError('dns_failure', 'injected');
  if (call.sabotage === 'refused')
    throw new ProxyError('connect_failure', `injected: connect ECONNREFUSED ${address}:${port}`);
  const { originate } = config;
  const plain = tls === null && originate === undefined;
  const open = plain ? openPlain : openSocket;
  const opening = open(address, port, config.connectTimeoutMs, parts.clock);
  call.attempt.active = opening;
  const socket = await opening.socket;
  const connected = parts.clock.monotonic();
  if (plain) {
    return {
      connection: parts.pool.adopt(socket, call.key, PLAIN, terms),
      connectMs: connected - started,
      handshakeMs: 0,
    };
  }
  call.attempt.active = { abort: () => socket.destroy() };
  const { handshakeMs } = parts.state().config.limits;
  const patience = parts.clock.after(handshakeMs, () => socket.destroy());
  const securing =
    originate === undefined
      ? parts.identity.secure(socket, serverNameOf(config), tls?.spiffeIds ?? [], call.sabotage)
      : parts.origination.secure(socket, originate, call.attempt.routed.call.head.host, call.sabotage);
  const secured = await securing.finally(() => patience.cancel()).catch((error) => tellHandshake(call, error));
  const connection = parts.pool.adopt(secured.socket, call.key, secured.security, terms);
  return { connection, connectMs: connected - started, handshakeMs: parts.clock.monotonic() - connected };
}

/** A handshake that fails is told with its reason, which nobody else knows. */
function tellHandshake(call: EndpointCall, error: unknown): never {
  const { cluster, call: request } = call.attempt.routed;
  const { originate } = cluster.config;
  const { detail } = asProxyError(error);
  const what = originate === undefined ? 'mutual TLS' : `TLS, which ${originate.object} asks for,`;
  request.record.decide({
    kind: 'mtls',
    text: `${what} failed: ${detail || 'no valid certificate of its own'}`,
    rule: originate?.object ?? '',
    source: originate?.source ?? null,
  });
  throw error;
}

function extraFields(call: EndpointCall, source: string, { state, clock }: OutboundParts): string {
  const { number, routed } = call.attempt;
  const { retry, timeoutMs } = routed.route;
  const expected = retry?.perTryTimeoutMs ?? timeoutMs;
  const count = `x-envoy-attempt-count: ${number}\r\n${expected === null ? '' : `x-envoy-expected-rq-timeout-ms: ${expected}\r\n`}`;
  if (tlsTo(routed.cluster.config, call.endpoint.config) === null) return count;
  const { propagation } = state().config.outbound;
  return count + source + lineageLines(call.attempt, propagation, clock);
}

function connectionFaults({
  clock,
  random,
  state,
  faults,
}: OutboundParts): Parameters<typeof injectConnectionFaults>[0] {
  return {
    clock,
    random,
    ledger: faults,
    faults: () => state().config.outbound.faults,
    app: () => state().config.workload.app,
  };
}
