import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import type { Direction, Security } from '../model/exchange.js';
import type { Clock } from '../platform/clock.js';
import type { Sweeper } from '../platform/sweeper.js';
import type { Body } from './codec/body.js';
import type { RequestHead } from './codec/message.js';
import { type ConnectionLimits, HttpConnection } from './listener/http-connection.js';
import { Call, type Handler, type Peer } from './pipeline/call.js';
import { ExchangeRecord, PLAIN } from './pipeline/exchange-record.js';
import type { ProxyError } from './pipeline/proxy-error.js';
import type { Recorder } from './telemetry/recorder.js';

export interface DownstreamParts {
  readonly clock: Clock;
  readonly sweeper: Sweeper;
  readonly recorder: Recorder;
  readonly workload: string;
  readonly version: () => number;
  /** Of the newest configuration; a connection keeps those that it began with. */
  readonly limits: () => ConnectionLimits;
  /** Answers ask callers to close their connections. */
  readonly draining: () => boolean;
}

/** What is known about a downstream connection before its first request. */
export interface Arrival {
  readonly socket: Socket | TLSSocket;
  /** The TCP socket below TLS; the same as `socket` in plaintext. */
  readonly tcp: Socket;
  readonly direction: Direction;
  readonly peer: Peer;
  readonly security: Security;
  /** Port that the caller meant. */
  readonly port: number;
  /** Address that the caller meant, or ''. */
  readonly originalAddress: string;
  /**
   * Authority to put in place of the listener's own loopback one (`explicit` interception), or ''. Any other Host is what the
   * app asked for, and stays: it decides here as it does where connections are intercepted.
   */
  readonly restoreHost: string;
  /** Service that the records of this connection are about, where the listener knows it. */
  readonly service: string;
}

let counter = 0;

/** A fresh record of something that this sidecar sees; ids count up per process. */
export function newRecord(parts: DownstreamParts, arrival: Arrival): ExchangeRecord {
  const { workload } = parts;
  const record = new ExchangeRecord(++counter, arrival.direction, parts.clock.monotonic());
  record.reporter = workload;
  record.port = arrival.port;
  record.service = arrival.service;
  record.version = parts.version();
  if (arrival.direction === 'inbound') {
    record.destination = workload;
    record.security = arrival.security;
    record.sourcePrincipal = arrival.peer.principal;
  } else {
    record.source = workload;
    record.security = PLAIN;
  }
  return record;
}

/** Speaks HTTP/1.1 on an arrived connection, each request through `handler`. */
export function serveHttp(parts: DownstreamParts, arrival: Arrival, handler: Handler<Call>): HttpConnection {
  return new HttpConnection(arrival.socket, {
    clock: parts.clock,
    sweeper: parts.sweeper,
    limits: parts.limits(),
    handler,
    newCall: (head, body) => newCall(parts, arrival, head, body),
    onBadRequest: (error) => noteBadRequest(parts, arrival, error),
    onFinished: (call) => parts.recorder.record(call.record),
    reset: () => reset(arrival),
    draining: parts.draining,
  });
}

function newCall(parts: DownstreamParts, arrival: Arrival, head: RequestHead, body: Body): Call {
  const record = newRecord(parts, arrival);
  if (arrival.restoreHost !== '' && isOwnLoopback(head.host, arrival.tcp.localPort)) head.host = arrival.restoreHost;
  record.method = head.method;
  record.path = head.target;
  record.host = head.host;
  const call = new Call(head, body, record, arrival.peer, arrival.port, arrival.originalAddress);
  call.explicit = arrival.restoreHost !== '';
  return call;
}

function isOwnLoopback(host: string, port: number | undefined): boolean {
  return LOOPBACK.some((name) => host === `${name}:${port}`);
}

/** Names of this machine, as a Host may have them. */
const LOOPBACK = ['127.0.0.1', 'localhost', '[::1]'];

function noteBadRequest(parts: DownstreamParts, arrival: Arrival, error: ProxyError): void {
  const record = newRecord(parts, arrival);
  record.fail(error.code);
  record.decide({ kind: 'route', text: error.message, rule: '', source: null });
  parts.recorder.record(record);
}

/** Resets the TCP connection, so that the peer sees a break and no clean end. */
function reset(arrival: Arrival): void {
  if (arrival.tcp.destroyed) return;
  arrival.tcp.resetAndDestroy();
  if (arrival.socket !== arrival.tcp) arrival.socket.destroy();
}
