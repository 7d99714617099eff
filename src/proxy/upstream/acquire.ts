import type { Cluster } from '../../model/cluster.js';
import type { Clock } from '../../platform/clock.js';
import type { EndpointCall } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import type { ConnectionTerms, UpstreamConnection } from './connection.js';
import type { UpstreamPool } from './pool.js';

/** A connection that was just opened, and what that took. */
export interface Connected {
  readonly connection: UpstreamConnection;
  readonly connectMs: number;
  readonly handshakeMs: number;
}

export interface AcquireParts {
  readonly clock: Clock;
  readonly pool: UpstreamPool;
  /** Opens a connection to the endpoint; rejects with ProxyError. Stops when the attempt is aborted. */
  readonly connect: (call: EndpointCall) => Promise<Connected>;
}

/**
 * A connection where none is free: opens one, or waits for one where the cluster has as many as it may have. A first one
 * to an endpoint is always allowed, as Envoy allows it. Rejects with `overflow` when too many wait already.
 */
export async function acquire(parts: AcquireParts, call: EndpointCall): Promise<UpstreamConnection> {
  const { pool } = parts;
  const { cluster } = call.attempt.routed;
  const { load } = cluster;
  const { maxConnections, maxPendingRequests } = cluster.config.limits;
  if (maxPendingRequests !== null && load.pending >= maxPendingRequests)
    throw new ProxyError('overflow', `${load.pending} requests wait for a connection already`);
  load.pending++;
  call.endpoint.active++;
  try {
    if (maxConnections !== null && load.connections >= maxConnections && pool.has(call.key)) {
      const freed = await inLine(parts, call);
      if (freed !== null) return freed;
    } else pool.opening(call.key, load);
    return await open(parts, call);
  } finally {
    load.pending--;
    call.endpoint.active--;
  }
}

async function inLine({ clock, pool }: AcquireParts, call: EndpointCall): Promise<UpstreamConnection | null> {
  const { attempt } = call;
  const { routed } = attempt;
  const waiting = pool.wait(call.key, routed.cluster.load);
  attempt.active = waiting;
  const since = clock.monotonic();
  try {
    const connection = await waiting.turn;
    attempt.reusedConnection = connection !== null;
    return connection;
  } finally {
    routed.call.record.queueMs += clock.monotonic() - since;
  }
}

async function open({ clock, pool, connect }: AcquireParts, call: EndpointCall): Promise<UpstreamConnection> {
  const { call: request, cluster } = call.attempt.routed;
  let opened: Connected;
  const since = clock.monotonic();
  try {
    opened = await connect(call);
  } catch (error) {
    request.record.connectMs += clock.monotonic() - since;
    pool.closed(call.key, cluster.load);
    throw error;
  }
  request.record.connectMs += opened.connectMs;
  request.record.handshakeMs += opened.handshakeMs;
  if (request.cancelled === null) return opened.connection;
  pool.free(opened.connection);
  throw request.cancelled;
}

/** What holds for the connections of a cluster. */
export function termsOf(
  { limits }: Cluster,
  { load }: { readonly load: ConnectionTerms['load'] },
  clock: Clock,
): ConnectionTerms {
  const { maxRequestsPerConnection, idleTimeoutMs, maxConnectionDurationMs } = limits;
  return {
    load,
    maxRequests: maxRequestsPerConnection ?? Number.POSITIVE_INFINITY,
    idleMs: idleTimeoutMs,
    clock,
    retireAt: maxConnectionDurationMs === null ? Number.POSITIVE_INFINITY : clock.monotonic() + maxConnectionDurationMs,
  };
}
