import { connect, type TLSSocket } from 'node:tls';
import type { SidecarConfig } from '../model/sidecar-config.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { Log } from '../platform/log.js';
import type { Random } from '../platform/random.js';
import type { JoinBootstrap } from '../protocol/bootstrap.js';
import { patched } from '../protocol/config-patch.js';
import {
  encodeMessage,
  type FromControlPlane,
  type Hello,
  type IdentityMessage,
  NdjsonDecoder,
  type ToControlPlane,
} from '../protocol/control-stream.js';
import { newKeyAndRequest } from './csr.js';
import { type Identity, identityOf, type Received, renewalTime } from './identity.js';

export interface ChannelEvents {
  /** First certificate, or a renewed one. */
  readonly onIdentity: (identity: Identity) => void;
  readonly onMessage: (message: FromControlPlane) => void;
  /** What to say on every new connection. */
  readonly hello: () => Hello;
  /** The control plane will never let this process in (token used or expired). */
  readonly onRefused: (reason: string) => void;
}

/** Pause before another connection: 100 ms, doubled up to 2 s, half of it random. */
const RECONNECT = { firstMs: 100, mostMs: 2_000 } as const;
/** Name in the control plane's certificate. */
const CONTROL_PLANE_NAME = 'control-plane.mesh-sandbox.internal';
/** Telemetry that may wait in the socket before more of it is dropped, bytes. */
const BACKLOG_LIMIT = 4 * 1024 * 1024;

/**
 * A workload's side of the control stream: joins once, then keeps one mutual-TLS connection, reconnects for ever, and
 * renews its certificate in time. The data path never waits for any of it.
 */
export class ControlChannel {
  readonly #bootstrap: JoinBootstrap;
  readonly #events: ChannelEvents;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #log: Log;
  #received: Received | null = null;
  #socket: TLSSocket | null = null;
  #pendingKey = '';
  #failures = 0;
  #renewal: Timer | null = null;
  #closed = false;
  /** The configuration that came last on this connection, obeyed or not. */
  #last: SidecarConfig | null = null;

  constructor(parts: { bootstrap: JoinBootstrap; events: ChannelEvents; clock: Clock; random: Random; log: Log }) {
    this.#bootstrap = parts.bootstrap;
    this.#events = parts.events;
    this.#clock = parts.clock;
    this.#random = parts.random;
    this.#log = parts.log;
  }

  get connected(): boolean {
    return this.#socket !== null;
  }

  /** Starts to connect; returns at once. */
  start(): void {
    this.#connect();
  }

  close(): void {
    this.#closed = true;
    this.#renewal?.cancel();
    this.#socket?.destroy();
  }

  /** Sends if there is a connection that keeps up; tells whether it did. */
  send(message: ToControlPlane): boolean {
    const socket = this.#socket;
    if (socket === null || socket.writableLength > BACKLOG_LIMIT) return false;
    socket.write(encodeMessage(message));
    return true;
  }

  #connect(): void {
    if (this.#closed) return;
    const identity = this.#received?.identity ?? null;
    const { host, port } = this.#bootstrap.controlPlane;
    const socket = connect({
      host,
      port,
      servername: CONTROL_PLANE_NAME,
      minVersion: 'TLSv1.3',
      ecdhCurve: 'X25519',
      ca: identity?.trustBundle ?? this.#bootstrap.trustBundle,
      ...(identity === null ? {} : { key: identity.key, cert: identity.certificate }),
    });
    socket.setEncoding('utf8');
    socket.setKeepAlive(true, 10_000);
    const decoder = new NdjsonDecoder();
    socket.on('secureConnect', () => this.#onConnected(socket));
    socket.on('data', (text: string) => this.#onText(socket, decoder, text));
    socket.on('error', (error) => this.#log.debug({ error: error.message }, 'control plane'));
    socket.on('close', () => this.#onClosed(socket));
  }

  #onConnected(socket: TLSSocket): void {
    if (this.#received === null) {
      const { keyPem, csr } = newKeyAndRequest();
      this.#pendingKey = keyPem;
      socket.write(encodeMessage({ type: 'join', token: this.#bootstrap.joinToken, csr }));
      return;
    }
    this.#failures = 0;
    this.#socket = socket;
    socket.write(encodeMessage(this.#events.hello()));
    this.#scheduleRenewal();
  }

  #onText(socket: TLSSocket, decoder: NdjsonDecoder, text: string): void {
    try {
      for (const message of decoder.push(text)) this.#onMessage(message as FromControlPlane, socket);
    } catch (error) {
      this.#log.warn(
        { error: error instanceof Error ? error.message : String(error) },
        'bad message from the control plane',
      );
      socket.destroy();
    }
  }

  #onMessage(message: FromControlPlane, socket: TLSSocket): void {
    if (message.type === 'identity') {
      const joined = this.#received === null;
      this.#take(message);
      // The join connection was made without a certificate; everything else happens on one that has it.
      if (joined) socket.destroy();
      else this.#scheduleRenewal();
      return;
    }
    if (message.type === 'refused') {
      if (this.#received === null) {
        this.#closed = true;
        this.#events.onRefused(message.reason);
      }
      this.#log.warn({ reason: message.reason }, 'the control plane refused');
      socket.destroy();
      return;
    }
    this.#events.onMessage(this.#whole(message));
  }

  /** A patch as the configuration that it makes. Throws when it changes another one than what came last. */
  #whole(message: FromControlPlane): FromControlPlane {
    if (message.type !== 'config' && message.type !== 'patch') return message;
    const last = this.#last;
    if (message.type === 'patch' && last?.version !== message.patch.base)
      throw new Error(`a patch of configuration ${message.patch.base}, which did not come`);
    const config = message.type === 'config' ? message.config : patched(last as SidecarConfig, message.patch);
    this.#last = config;
    return { type: 'config', config };
  }

  #take({ certificate, trustBundle, renewal }: IdentityMessage): void {
    const first = this.#received === null;
    const identity = identityOf(this.#pendingKey, certificate, trustBundle);
    this.#received = { identity, renewal, receivedAt: this.#clock.now() };
    if (first) this.#failures = -1;
    this.#events.onIdentity(identity);
  }

  #scheduleRenewal(): void {
    this.#renewal?.cancel();
    if (this.#received === null) return;
    const at = renewalTime(this.#received, this.#random.next());
    this.#renewal = this.#clock.after(Math.max(0, at - this.#clock.now()), () => this.#renew());
  }

  #renew(): void {
    const { keyPem, csr } = newKeyAndRequest();
    this.#pendingKey = keyPem;
    // Without a connection the next one schedules the renewal again, at once if it is due.
    if (!this.send({ type: 'csr', csr })) this.#log.debug({}, 'renewal waits for the control plane');
  }

  #onClosed(socket: TLSSocket): void {
    if (this.#socket === socket) {
      this.#socket = null;
      this.#last = null;
    }
    if (this.#closed) return;
    const wait = this.#failures < 0 ? 0 : Math.min(RECONNECT.firstMs * 2 ** this.#failures, RECONNECT.mostMs);
    this.#failures = Math.min(10, this.#failures + 1);
    this.#clock.after(wait * (0.5 + this.#random.next() / 2), () => this.#connect());
  }
}
