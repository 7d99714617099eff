import type { Clock } from '../platform/clock.js';
import type { Random } from '../platform/random.js';
import type { AccessTable } from './authorization/access-table.js';
import { authorize } from './authorization/authorize.js';
import { askAuthorizers, type ExternalTable } from './authorization/external.js';
import type { AppClusters } from './discovery/app-clusters.js';
import type { SidecarState } from './discovery/state.js';
import { injectFaults } from './fault-injection/fault.js';
import type { FaultLedger } from './fault-injection/ledger.js';
import { identifyCaller, sanitizeForApp } from './headers/sanitize.js';
import { hearLineage, keepLineage } from './lineage/lineage.js';
import type { LineageTable } from './lineage/table.js';
import { type MemoryGuard, shed } from './listener/overload.js';
import { AttemptCall, type Call, EndpointCall, type Filter, type Handler, RoutedCall } from './pipeline/call.js';
import type { EndpointState } from './pipeline/cluster.js';
import { PLAIN } from './pipeline/exchange-record.js';
import { pipeline } from './pipeline/pipeline.js';
import type { ProxyError } from './pipeline/proxy-error.js';
import { rescue } from './pipeline/rescue.js';
import { type LimitTable, limitRate } from './rate-limiting/rate-limit.js';
import { type InboundTable, obeyInboundRoute } from './routing/inbound-route.js';
import { trace } from './telemetry/trace.js';
import type { TokenTable } from './tokens/token-table.js';
import { verifyTokens } from './tokens/verify-tokens.js';
import { type Connected, termsOf } from './upstream/acquire.js';
import { openPlain } from './upstream/connect.js';
import { forward } from './upstream/forward.js';
import type { UpstreamPool } from './upstream/pool.js';

export interface InboundParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly state: () => SidecarState;
  readonly pool: UpstreamPool;
  readonly faults: FaultLedger;
  readonly rateLimits: () => LimitTable;
  readonly routes: () => InboundTable;
  readonly tokens: () => TokenTable;
  readonly access: () => AccessTable;
  readonly external: () => ExternalTable;
  /** The way of a request of the sidecar's own to another workload. */
  readonly ask: Handler<Call>;
  readonly memory: MemoryGuard;
  readonly lineages: LineageTable;
  readonly apps: AppClusters;
  readonly onBug: (error: ProxyError) => void;
}

/** The way of a request from another workload to the app, in the order it is met. */
export function inboundPipeline(parts: InboundParts): Handler<Call> {
  const { clock, random, pool } = parts;
  const inbound = () => parts.state().config.inbound;
  const connect = (call: EndpointCall) => connectToApp(call, parts);
  const isKnown = (cluster: string) => parts.state().clusters.has(cluster);
  return pipeline<Call>()
    .through(rescue(parts.onBug, () => parts.state().config.errorField)) // first: whatever fails below becomes an answer here, once
    .through(shed(parts.memory)) // before anything is made for a request that there is no room for
    .through(identifyCaller(() => inbound().callers)) // before any policy asks who calls
    .through(hearLineage(clock, () => parts.state().config.outbound.propagation)) // the caller is known; its word is believed
    .through(sanitizeForApp(() => parts.state().config.inbound.callerField)) // everything that only sidecars may say has been read
    .through(trace(random, false, () => parts.state().config.samplePercent ?? 100)) // the app's own calls hang below this sidecar's span
    .through(verifyTokens(clock, parts.tokens)) // whose token it is, before anybody asks for its claims
    .through(askAuthorizers({ clock, table: parts.external, isKnown, ask: parts.ask })) // who is asked elsewhere is asked first (Istio's CUSTOM)
    .through(authorize(parts.access)) // all is known of the caller; who is kept out uses up no limit
    .through(keepLineage(parts.lineages)) // the ids are known: what the app calls now, it calls for this
    .through(limitRate(clock, parts.rateLimits)) // what is turned away costs neither a fault nor the app anything
    .through(obeyInboundRoute(parts.routes, () => parts.state().config.errorField)) // who is kept out is sent nowhere (Linkerd asks in this order)
    .through(injectFaults({ clock, random, faults: () => inbound().faults, ledger: parts.faults })) // the app must not notice
    .through(toApp(parts)) // Call -> EndpointCall: there is one endpoint
    .end(forward({ clock, pool, connect, extra: (call: EndpointCall) => fieldsForApp(call, parts) }));
}

function toApp(parts: InboundParts): Filter<Call, EndpointCall> {
  return (next) => (call) => {
    const cluster = parts.apps.at(call.port, parts.state().config);
    const attempt = new AttemptCall(new RoutedCall(call, APP_ROUTE, cluster), 1, parts.clock.monotonic());
    const endpoint = cluster.endpoints[0] as EndpointState;
    attempt.endpoint = endpoint;
    call.active = attempt;
    return next(new EndpointCall(attempt, endpoint));
  };
}

const APP_ROUTE = { name: 'inbound', timeoutMs: null, retry: null, hash: [], mirrors: [] } as const;

async function connectToApp(call: EndpointCall, parts: InboundParts): Promise<Connected> {
  const { cluster } = call.attempt.routed;
  const { address, port } = call.endpoint.config;
  const started = parts.clock.monotonic();
  const opening = openPlain(address, port, cluster.config.connectTimeoutMs, parts.clock);
  call.attempt.active = opening;
  const connection = parts.pool.adopt(
    await opening.socket,
    call.endpoint.key,
    PLAIN,
    termsOf(cluster.config, cluster, parts.clock),
  );
  return { connection, connectMs: parts.clock.monotonic() - started, handshakeMs: 0 };
}

function fieldsForApp(call: EndpointCall, parts: InboundParts): string {
  return parts.state().config.inbound.hidesCaller === true ? '' : call.attempt.routed.call.peer.callerField;
}
