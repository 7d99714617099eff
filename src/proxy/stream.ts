import type { Socket } from 'node:net';
import { tlsTo } from '../model/cluster.js';
import { isVirtual } from '../model/names.js';
import type { Clock } from '../platform/clock.js';
import { hashOfAddress } from './balancing/hash.js';
import { originalDestination } from './discovery/state.js';
import type { Arrival } from './downstream.js';
import type { TlsOrigination } from './mtls/originated-tls.js';
import { serverNameOf, type TlsIdentity } from './mtls/tls-identity.js';
import type { ClusterState, EndpointState } from './pipeline/cluster.js';
import type { ExchangeRecord } from './pipeline/exchange-record.js';
import { asProxyError, ProxyError } from './pipeline/proxy-error.js';
import { openSocket } from './upstream/connect.js';

export interface StreamParts {
  readonly identity: TlsIdentity;
  readonly origination: TlsOrigination;
  readonly clock: Clock;
}

/** An open connection to an endpoint, which its cluster counts until it is closed. */
export interface Stream {
  readonly socket: Socket;
  /** Without a byte for so long it is closed, ms; 0 = never. */
  readonly idleMs: number;
}

/** Envoy's idle timeout of tcp_proxy. */
export const STREAM_IDLE_MS = 3_600_000;

/**
 * Opens a connection through a cluster as Envoy's tcp_proxy does: within its limits, to the endpoint that its balancing
 * chooses, once; its watch hears whether it came about. Rejects with ProxyError.
 */
export async function openThrough(
  parts: StreamParts,
  cluster: ClusterState,
  arrival: Arrival,
  record: ExchangeRecord,
): Promise<Stream> {
  const target = cluster.config.passthrough ? originalDestination(cluster, addressOf(arrival), arrival.port) : cluster;
  const { load, config } = target;
  const { maxConnections, maxPendingRequests, maxRequests, tcpIdleTimeoutMs } = config.limits;
  if (maxConnections !== null && load.connections >= maxConnections)
    throw new ProxyError('overflow', `${load.connections} connections are open already`);
  if (maxPendingRequests !== null && load.pending >= maxPendingRequests)
    throw new ProxyError('overflow', `${load.pending} wait for a connection already`);
  if (maxRequests !== null && load.requests >= maxRequests)
    throw new ProxyError('overflow', `${load.requests} are under way already`);
  const endpoint = target.picker.pick(choiceOf(target, arrival, record), 0);
  if (endpoint === null) throw new ProxyError('no_healthy_upstream', arrival.service);
  record.destination = endpoint.config.workload;
  endpoint.watch?.chosen();
  const release = hold(target, endpoint);
  load.pending++;
  let socket: Socket;
  try {
    socket = await connect(parts, target, endpoint, record);
  } catch (error) {
    release();
    endpoint.watch?.ended(asProxyError(error).code);
    throw error;
  } finally {
    load.pending--;
  }
  endpoint.watch?.ended(200);
  if (socket.destroyed) release();
  else socket.once('close', release);
  return { socket, idleMs: tcpIdleTimeoutMs ?? STREAM_IDLE_MS };
}

/** Where the app wanted to go; where that is an address of ours the name is asked. */
function addressOf({ originalAddress, service }: Arrival): string {
  return isVirtual(originalAddress) ? service : originalAddress;
}

/** Connections have no id of their own that decisions could go by: their number is one. */
function choiceOf({ config }: ClusterState, { peer }: Arrival, { number }: ExchangeRecord) {
  return {
    number: 1,
    routed: {
      hash: config.hashesSource === true ? hashOfAddress(peer.remoteAddress) : null,
      call: { record: { requestId: `connection ${number}` } },
    },
  };
}

/** Counts a connection; the result counts it no more. */
function hold({ load }: ClusterState, endpoint: EndpointState): () => void {
  load.connections++;
  load.requests++;
  endpoint.active++;
  return () => {
    load.connections--;
    load.requests--;
    endpoint.active--;
  };
}

async function connect(
  parts: StreamParts,
  { config }: ClusterState,
  endpoint: EndpointState,
  record: ExchangeRecord,
): Promise<Socket> {
  const { address, port } = endpoint.config;
  const socket = await openSocket(address, port, config.connectTimeoutMs, parts.clock).socket;
  const { originate } = config;
  if (originate !== undefined) {
    const secured = await parts.origination.secure(socket, originate, '');
    record.security = secured.security;
    return secured.socket;
  }
  const tls = tlsTo(config, endpoint.config);
  if (tls === null) return socket;
  const secured = await parts.identity.secure(socket, serverNameOf(config), tls.spiffeIds);
  record.security = secured.security;
  record.destinationPrincipal = secured.security.peer;
  return secured.socket;
}
