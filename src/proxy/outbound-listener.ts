import type { Socket } from 'node:net';
import type { AppProtocol } from '../model/app.js';
import type { StreamRoute } from '../model/sidecar-config.js';
import type { Clock } from '../platform/clock.js';
import type { Random } from '../platform/random.js';
import type { SidecarState } from './discovery/state.js';
import { type Arrival, type DownstreamParts, serveHttp } from './downstream.js';
import { detectProtocol } from './listener/detect-protocol.js';
import { readOpening } from './listener/first-byte.js';
import type { Destination } from './listener/original-destination.js';
import { type Call, type Handler, NO_PEER } from './pipeline/call.js';
import type { ClusterState } from './pipeline/cluster.js';
import { type ExchangeRecord, PLAIN } from './pipeline/exchange-record.js';
import { ProxyError } from './pipeline/proxy-error.js';
import { openThrough, STREAM_IDLE_MS, type Stream, type StreamParts } from './stream.js';
import { serveTcp } from './tcp.js';
import { openSocket } from './upstream/connect.js';

export interface OutboundListenerParts extends DownstreamParts, StreamParts {
  readonly state: () => SidecarState;
  readonly handler: Handler<Call>;
  readonly random: Random;
  readonly clock: Clock;
}

/** What a connection from the app is about: HTTP by the port (as Istio's listeners), a declared TCP service, or neither. */
export function onOutbound(parts: OutboundListenerParts, socket: Socket, to: Destination): void {
  const state = parts.state();
  const listener = state.listeners.get(`${to.address}:${to.port}`);
  const arrival = arrivalOf(socket, to, '', listener?.service ?? '');
  if (listener !== undefined && listener.protocol !== 'http') return serveService(parts, arrival, listener.protocol);
  if (state.httpPorts.has(to.port)) {
    serveHttp(parts, arrival, parts.handler);
    return;
  }
  serveTcp(parts, arrival, (record) => openAnywhere(parts, to, record));
}

/** A connection to the loopback port that stands for one service and port (`explicit` interception). */
export function onExplicitOutbound(parts: OutboundListenerParts, socket: Socket, service: string, port: number): void {
  const listener = parts
    .state()
    .config.outbound.listeners.find((candidate) => candidate.service === service && candidate.port === port);
  if (listener === undefined) return void socket.resetAndDestroy();
  const arrival = arrivalOf(socket, { address: listener.virtualIp, port }, `${service}:${port}`, service);
  serveService(parts, arrival, listener.protocol);
}

function serveService(parts: OutboundListenerParts, arrival: Arrival, protocol: AppProtocol): void {
  switch (protocol) {
    case 'http':
      serveHttp(parts, arrival, parts.handler);
      return;
    case 'tcp':
      return serveBytes(parts, arrival);
    case 'auto':
      detectProtocol(arrival.socket, parts.clock, parts.state().config.limits.detectMs, (what) => {
        if (what === 'closed') arrival.socket.destroy();
        else serveService(parts, arrival, what);
      });
  }
}

function arrivalOf(socket: Socket, to: Destination, restoreHost: string, service: string): Arrival {
  return {
    socket,
    tcp: socket,
    direction: 'outbound',
    peer: { ...NO_PEER, remoteAddress: socket.remoteAddress ?? NO_PEER.remoteAddress },
    security: PLAIN,
    port: to.port,
    originalAddress: to.address,
    restoreHost,
    service,
  };
}

/** Bytes to where the rules for connections send them. Only where a name may decide the first ones are waited for. */
function serveBytes(parts: OutboundListenerParts, arrival: Arrival): void {
  const streams = streamsOf(parts, arrival);
  const serve = (stream: StreamRoute | undefined): void =>
    serveTcp(parts, arrival, async (record) =>
      openThrough(parts, clusterFor(parts, arrival, stream, record), arrival, record),
    );
  if (streams.every(({ sni }) => sni === undefined)) return serve(streams[0]);
  const { detectMs } = parts.state().config.limits;
  readOpening(arrival.tcp, parts.clock, detectMs === 0 ? OPENING_MS : detectMs, (opening) => {
    if (opening.kind === 'closed') return void arrival.tcp.destroy();
    const asked = opening.kind === 'tls' ? opening.serverName : null;
    serve(streams.find(({ sni }) => sni === undefined || (asked !== null && sni.some((name) => meets(asked, name)))));
  });
}

/** Envoy's listener_filters_timeout, as Istio sets it where it looks for names. */
const OPENING_MS = 15_000;

function meets(asked: string, name: string): boolean {
  return name === '*' || asked === name || (name.startsWith('*.') && asked.endsWith(name.slice(1)));
}

function streamsOf(parts: OutboundListenerParts, { service, port }: Arrival): readonly StreamRoute[] {
  const { listeners } = parts.state().config.outbound;
  return listeners.find((one) => one.service === service && one.port === port)?.streams ?? [];
}

/** By the rule for its connections, else all that the service stands for. */
function clusterFor(
  parts: OutboundListenerParts,
  { service, port }: Arrival,
  stream: StreamRoute | undefined,
  record: ExchangeRecord,
): ClusterState {
  const { clusters } = parts.state();
  const cluster =
    stream === undefined
      ? [...clusters.values()].find(
          ({ config: own }) => own.service === service && own.port === port && own.subset === '',
        )
      : clusters.get(drawn(stream, parts.random));
  if (cluster === undefined) throw new ProxyError('cluster_not_found', service);
  if (stream !== undefined) {
    const { subset, service: to } = cluster.config;
    const text = `rule ${stream.origin.rule + 1} of ${stream.origin.object} sent it to ${to}${subset === '' ? '' : ` ${subset}`}`;
    record.decide({ kind: 'route', text, rule: stream.origin.object, source: stream.origin.source });
  }
  return cluster;
}

function drawn({ clusters }: StreamRoute, random: Random): string {
  let point = random.next() * clusters.reduce((sum, { weight }) => sum + weight, 0);
  for (const { cluster, weight } of clusters) {
    point -= weight;
    if (point < 0) return cluster;
  }
  return clusters.at(-1)?.cluster ?? '';
}

/** Where the mesh knows nothing, bytes go where they were going (Istio's PassthroughCluster), unless that is forbidden. */
async function openAnywhere(parts: OutboundListenerParts, to: Destination, record: ExchangeRecord): Promise<Stream> {
  const { unknownHosts } = parts.state().config.outbound;
  const forbidden = unknownHosts !== 'allow-any';
  const where = `${to.address}:${to.port}`;
  record.service = forbidden ? 'BlackHoleCluster' : 'PassthroughCluster';
  if (forbidden) throw new ProxyError(unknownHosts === 'denied' ? 'egress_denied' : 'host_unknown', where);
  record.decide({
    kind: 'passthrough',
    text: `${where} is not in the mesh: passed on as it is`,
    rule: 'PassthroughCluster',
    source: null,
  });
  const socket = await openSocket(to.address, to.port, 10_000, parts.clock).socket;
  return { socket, idleMs: STREAM_IDLE_MS };
}
