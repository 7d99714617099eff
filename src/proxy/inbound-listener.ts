import type { Socket } from 'node:net';
import type { Server as TlsServer } from 'node:tls';
import type { AppProtocol } from '../model/app.js';
import type { Security } from '../model/exchange.js';
import type { FailureCode } from '../model/failure.js';
import type { SidecarLimits } from '../model/limits.js';
import type { MtlsMode } from '../model/sidecar-config.js';
import type { Timer } from '../platform/clock.js';
import type { AccessTable } from './authorization/access-table.js';
import { authorizeConnection } from './authorization/authorize.js';
import type { AppClusters } from './discovery/app-clusters.js';
import type { SidecarState } from './discovery/state.js';
import { type Arrival, type DownstreamParts, newRecord, serveHttp } from './downstream.js';
import { detectProtocol } from './listener/detect-protocol.js';
import { readOpening } from './listener/first-byte.js';
import { callerField, isMeshOffer, type Secured } from './mtls/tls-identity.js';
import { type Call, type Handler, NO_PEER, type Peer } from './pipeline/call.js';
import { PLAIN } from './pipeline/exchange-record.js';
import { openThrough, type StreamParts } from './stream.js';
import { serveTcp } from './tcp.js';

export interface InboundListenerParts extends DownstreamParts, StreamParts {
  readonly state: () => SidecarState;
  readonly handler: Handler<Call>;
  readonly apps: AppClusters;
  readonly access: () => AccessTable;
}

/**
 * The callee's side: first byte, then mutual TLS or plaintext as the mode allows, then HTTP or bytes as the port is
 * declared. A port that nobody declared counts as TCP.
 */
export class InboundListener {
  readonly #parts: InboundListenerParts;
  readonly #tls: TlsServer;
  /** How to end each plaintext connection that is open. */
  readonly #plain = new Map<Socket, () => void>();
  /** Ends handshakes that take too long. */
  readonly #handshakes = new WeakMap<Socket, Timer>();
  /** Ports of connections that are in their handshake. */
  readonly #arriving = new WeakMap<Socket, { port: number; tcp: Socket }>();

  constructor(parts: InboundListenerParts) {
    this.#parts = parts;
    this.#tls = parts.identity.server(
      (secured) => this.#onSecure(secured),
      (socket) => this.#note(parentOf(socket), 'peer_identity_refused'),
    );
  }

  accept(socket: Socket, port: number): void {
    const protocol = this.#protocolOf(port);
    this.#arriving.set(socket, { port, tcp: socket });
    const { inbound, limits } = this.#parts.state().config;
    const mtls = inbound.portMtls?.[port] ?? inbound.mtls;
    if (mtls === 'disable' && protocol === 'tcp') return this.#servePlain(socket, port, protocol);
    // In strict mode the caller's TLS comes first whatever the protocol, so that a slow machine may take its time.
    readOpening(
      socket,
      this.#parts.clock,
      mtls === 'strict' ? limits.handshakeMs : silenceMs(protocol, limits),
      (opening) => {
        if (opening.kind === 'tls') this.#onTls(socket, opening.offered, { mtls, protocol, port });
        else if (opening.kind === 'closed') socket.destroy();
        else if (opening.kind === 'silent' && protocol === 'http') socket.destroy();
        else if (mtls === 'strict') this.#refuse(socket);
        else this.#servePlain(socket, port, protocol);
      },
    );
  }

  /**
   * A sidecar says by ALPN that it is one. Where others may call too, TLS without that is an app's own, and where mutual TLS
   * is switched off all TLS is: it passes as bytes where bytes are expected, and is refused where HTTP is (Istio).
   */
  #onTls(
    socket: Socket,
    offered: readonly string[],
    { mtls, protocol, port }: { readonly mtls: MtlsMode; readonly protocol: AppProtocol; readonly port: number },
  ): void {
    if (mtls === 'strict' || (mtls === 'permissive' && isMeshOffer(offered)))
      return this.#handshake(socket, this.#parts.state().config.limits.handshakeMs);
    if (protocol !== 'http') return this.#servePlain(socket, port, 'tcp');
    this.#note(socket, 'peer_identity_refused');
    socket.resetAndDestroy();
  }

  #handshake(socket: Socket, allowedMs: number): void {
    const timer = this.#parts.clock.after(allowedMs, () => socket.destroy());
    this.#handshakes.set(socket, timer);
    socket.once('close', () => timer.cancel());
    this.#tls.emit('connection', socket);
  }

  /** From now on nobody is served without an identity: plaintext connections that are open end after what they are at. */
  endPlaintext(): void {
    for (const end of [...this.#plain.values()]) end();
  }

  #protocolOf(port: number): AppProtocol {
    return this.#parts.state().config.inbound.ports.find((declared) => declared.port === port)?.protocol ?? 'tcp';
  }

  #servePlain(socket: Socket, port: number, protocol: AppProtocol): void {
    this.#plain.set(socket, this.#serve(this.#arrival(socket, socket, port, PLAIN, peerAt(socket)), protocol));
    socket.once('close', () => this.#plain.delete(socket));
  }

  #onSecure(secured: Secured): void {
    const { socket, security } = secured;
    const tcp = parentOf(socket);
    this.#handshakes.get(tcp)?.cancel();
    const port = this.#arriving.get(tcp)?.port ?? 0;
    const { workload, inbound } = this.#parts.state().config;
    const peer = {
      ...peerAt(tcp),
      principal: security.peer,
      accounts: inbound.callers[security.peer]?.accounts,
      callerField: callerField(secured, workload.spiffeId, inbound.callerField),
      serverName: (socket.servername || '').toLowerCase(),
    };
    this.#serve(this.#arrival(socket, tcp, port, security, peer), this.#protocolOf(port));
  }

  /** The result ends it, after what it is at. */
  #serve(arrival: Arrival, protocol: AppProtocol): () => void {
    if (protocol === 'auto') return this.#detect(arrival);
    if (protocol === 'http') {
      const connection = serveHttp(this.#parts, arrival, this.#parts.handler);
      arrival.socket.resume();
      return () => connection.drain();
    }
    serveTcp(this.#parts, arrival, async (record) => {
      record.source = this.#parts.state().config.inbound.callers[arrival.peer.principal]?.workloads[0] ?? 'unknown';
      authorizeConnection(this.#parts.access(), arrival.peer, arrival.port, record);
      const { apps, state } = this.#parts;
      return openThrough(this.#parts, apps.at(arrival.port, state().config), arrival, record);
    });
    return () => arrival.socket.destroy();
  }

  #detect(arrival: Arrival): () => void {
    let end: () => void = () => arrival.socket.destroy();
    detectProtocol(arrival.socket, this.#parts.clock, this.#parts.state().config.limits.detectMs, (what) => {
      if (what === 'closed') arrival.socket.destroy();
      else end = this.#serve(arrival, what);
    });
    return () => end();
  }

  #refuse(socket: Socket): void {
    this.#note(socket, 'plaintext_refused');
    socket.resetAndDestroy();
  }

  /** Records a connection that was turned away before it said anything that could be a request. */
  #note(tcp: Socket, code: FailureCode): void {
    const port = this.#arriving.get(tcp)?.port ?? 0;
    const record = newRecord(this.#parts, this.#arrival(tcp, tcp, port, PLAIN, peerAt(tcp)));
    record.source = 'unknown';
    record.fail(code);
    this.#parts.recorder.record(record);
  }

  #arrival(socket: Socket, tcp: Socket, port: number, security: Security, peer: Arrival['peer']): Arrival {
    const service = this.#parts.state().config.workload.app;
    return { socket, tcp, direction: 'inbound', peer, security, port, originalAddress: '', restoreHost: '', service };
  }
}

/** What a TCP connection tells of its other end: nothing of who it is. */
function peerAt({ remoteAddress = '', localAddress = '' }: Socket): Peer {
  return { ...NO_PEER, remoteAddress, ownAddress: localAddress };
}

/** The TCP socket below a TLS socket of a server that was fed by hand; undocumented, stable on Node 18-26. */
function parentOf(socket: Socket): Socket {
  return (socket as unknown as { _parent?: Socket })._parent ?? socket;
}

/** As long as a timer can wait. */
const FOREVER = 2 ** 31 - 1;

/** How long a connection may say nothing. A server that speaks first must not wait for long, where it is known to be one. */
function silenceMs(protocol: AppProtocol, { sniffHttpMs, sniffTcpMs, detectMs }: SidecarLimits): number {
  if (protocol === 'auto') return detectMs === 0 ? FOREVER : detectMs;
  return protocol === 'http' ? sniffHttpMs : sniffTcpMs;
}
