import type { Attempt } from '../model/exchange.js';
import type { Clock } from '../platform/clock.js';
import type { Random } from '../platform/random.js';
import { chooseEndpoint } from './balancing/endpoint.js';
import { plainCluster, type SidecarState } from './discovery/state.js';
import { SOURCE_FIELD, sanitizeEdgeRequest, sanitizeRequest } from './headers/sanitize.js';
import type { TlsIdentity } from './mtls/tls-identity.js';
import { type Call, type EndpointCall, type Handler, RoutedCall } from './pipeline/call.js';
import { PLAIN } from './pipeline/exchange-record.js';
import { pipeline } from './pipeline/pipeline.js';
import { ProxyError } from './pipeline/proxy-error.js';
import { rescue } from './pipeline/rescue.js';
import { attempts } from './retries/attempts.js';
import { route } from './routing/route.js';
import type { Recorder } from './telemetry/recorder.js';
import { trace } from './telemetry/trace.js';
import { deadline, perTryDeadline } from './timeouts/deadline.js';
import { openSocket } from './upstream/connect.js';
import { type Connected, forward } from './upstream/forward.js';
import type { UpstreamPool } from './upstream/pool.js';

export interface OutboundParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly state: () => SidecarState;
  readonly identity: TlsIdentity;
  readonly pool: UpstreamPool;
  readonly recorder: Recorder;
  readonly workload: string;
  /** The gateway: callers are outside the mesh. */
  readonly edge: boolean;
  readonly onBug: (error: ProxyError) => void;
}

/** The way of a request from the app (or, at the gateway, from outside) to another workload, in the order it is met. */
export function outboundPipeline(parts: OutboundParts): Handler<Call> {
  const { clock, random, recorder, workload } = parts;
  const onAttempt = (call: Call, attempt: Attempt) => recorder.attempt(workload, call.record.service, attempt);
  const connect = (call: EndpointCall) => connectTo(call, parts);
  const source = `${SOURCE_FIELD}: ${workload}\r\n`;
  const extra = (call: EndpointCall) => extraFields(call, source);
  return pipeline<Call>()
    .through(rescue(parts.onBug)) // first: whatever fails below becomes an answer here, once
    .through(parts.edge ? sanitizeEdgeRequest() : sanitizeRequest()) // before anything reads what only sidecars may say
    .through(trace(random, parts.edge)) // before any decision: decisions are keyed by the request id
    .through(route({ table: parts.state, random, unknownHost: (call) => unknownHost(call, parts) })) // Call -> RoutedCall
    .through(deadline(clock)) // before the retries: covers all tries and the pauses between them
    .through(attempts({ clock, random, onAttempt })) // RoutedCall -> AttemptCall, once per try
    .through(perTryDeadline(clock)) // behind the retries: a slow try may be followed by another
    .through(chooseEndpoint(random)) // AttemptCall -> EndpointCall; each try chooses anew
    .end(forward({ clock, pool: parts.pool, connect, extra }));
}

/** Hosts that nobody declared: Istio's ALLOW_ANY passes them on to where they were going, REGISTRY_ONLY answers 502. */
function unknownHost(call: Call, parts: OutboundParts): RoutedCall {
  const state = parts.state();
  const { record } = call;
  const known = state.listeners.get(`${call.originalAddress}:${call.port}`);
  const forbidden = state.config.outbound.unknownHosts === 'registry-only';
  // One name for all of them, as Istio has it: what callers may invent must not become figures of its own.
  record.service = known?.service ?? (forbidden ? 'BlackHoleCluster' : 'PassthroughCluster');
  if (parts.edge) throw new ProxyError('route_not_found', call.head.host);
  if (forbidden) throw new ProxyError('host_unknown', call.head.host);
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

const PASSTHROUGH_ROUTE = { name: 'allow_any', timeoutMs: null, retry: null } as const;

async function connectTo(call: EndpointCall, parts: OutboundParts): Promise<Connected> {
  const { config } = call.attempt.routed.cluster;
  const { address, port } = call.endpoint.config;
  const started = parts.clock.monotonic();
  const opening = openSocket(address, port, config.connectTimeoutMs, parts.clock);
  call.attempt.active = opening;
  const socket = await opening.socket;
  const connected = parts.clock.monotonic();
  if (config.tls === null) {
    return {
      connection: parts.pool.adopt(socket, call.endpoint.key, PLAIN),
      connectMs: connected - started,
      handshakeMs: 0,
    };
  }
  call.attempt.active = { abort: () => socket.destroy() };
  const secured = await parts.identity.secure(socket, serverName(config), config.tls.spiffeIds);
  const connection = parts.pool.adopt(secured.socket, call.endpoint.key, secured.security);
  return { connection, connectMs: connected - started, handshakeMs: parts.clock.monotonic() - connected };
}

/** SNI as Istio writes it: `outbound_.9080_.v2_.reviews.default.svc.cluster.local`. */
function serverName(cluster: { readonly name: string }): string {
  return cluster.name.replaceAll('|', '_.');
}

function extraFields(call: EndpointCall, source: string): string {
  const count = `x-envoy-attempt-count: ${call.attempt.number}\r\n`;
  return call.attempt.routed.cluster.config.tls === null ? count : count + source;
}
