import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { Clock } from '../../platform/clock.js';
import type { Log } from '../../platform/log.js';
import type { HostPort } from '../../protocol/bootstrap.js';
import {
  encodeMessage,
  type FromControlPlane,
  type Hello,
  NdjsonDecoder,
  type ToControlPlane,
} from '../../protocol/control-stream.js';
import { type LeafNames, spiffeIdOf } from '../authority/authority.js';
import type { Identities } from '../authority/identities.js';
import type { JoinTokens } from '../authority/join-tokens.js';
import { readMessage } from './messages.js';

/** Name that sidecars expect in the listener's certificate. */
export const CONTROL_PLANE_NAME = 'control-plane.mesh-sandbox.internal';

export interface StreamEvents {
  readonly onHello: (stream: WorkloadStream, hello: Hello) => void;
  readonly onMessage: (stream: WorkloadStream, message: ToControlPlane) => void;
  readonly onGone: (stream: WorkloadStream) => void;
}

/** An authenticated stream of one workload. */
export interface WorkloadStream {
  readonly workload: string;
  readonly program: Hello['program'];
  readonly address: string;
  send(message: FromControlPlane): void;
  close(): void;
}

export interface StreamServerParts {
  readonly identities: Identities;
  readonly tokens: JoinTokens;
  readonly events: StreamEvents;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * The control stream's listener. Connections without a certificate may join and nothing else; the others are who their
 * certificate says. Junk ends a connection, never the process (CVE-2022-23635).
 */
export async function serveControlStream(parts: StreamServerParts, { host, port }: HostPort): Promise<Server> {
  const own = await parts.identities.authority.serverCredentials(parts.identities.own, CONTROL_PLANE_NAME);
  const server = createServer({
    key: own.key,
    cert: own.certificate,
    ca: parts.identities.authority.rootPem,
    requestCert: true,
    // Joining needs none; who has one but does not chain to our root is refused below.
    rejectUnauthorized: false,
    minVersion: 'TLSv1.3',
    ecdhCurve: 'X25519',
    handshakeTimeout: 5_000,
  });
  server.on('secureConnection', (socket) => new Conversation(socket, parts).start());
  server.on('tlsClientError', () => {});
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}

/** What a peer may send before it is known, bytes. */
const JOIN_LIMIT = 64 * 1024;
/** How long a peer has to read our last words before the connection is taken away, ms. */
const LINGER_MS = 250;

class Conversation implements WorkloadStream {
  workload = '';
  program: Hello['program'] = 'sidecar';
  readonly address: string;
  readonly #socket: TLSSocket;
  readonly #parts: StreamServerParts;
  readonly #spiffeId: string;
  readonly #decoder: NdjsonDecoder;
  #queue: Promise<void> = Promise.resolve();
  /** The last word was said; what the peer still says is not heard. */
  #over = false;

  constructor(socket: TLSSocket, parts: StreamServerParts) {
    this.#socket = socket;
    this.#parts = parts;
    this.address = (socket.remoteAddress ?? '').replace(/^::ffff:/, '');
    const peer = socket.authorized ? socket.getPeerX509Certificate() : undefined;
    this.#spiffeId = peer === undefined ? '' : spiffeIdOf(peer.raw);
    this.#decoder = this.#spiffeId === '' ? new NdjsonDecoder(JOIN_LIMIT) : new NdjsonDecoder();
  }

  start(): void {
    const socket = this.#socket;
    socket.setEncoding('utf8');
    socket.setKeepAlive(true, 10_000);
    socket.setNoDelay(true);
    if (this.#spiffeId === '') socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (text: string) => this.#onText(text));
    socket.on('error', () => {});
    socket.on('close', () => {
      if (this.workload !== '') this.#parts.events.onGone(this);
    });
  }

  send(message: FromControlPlane): void {
    this.#socket.write(encodeMessage(message));
  }

  close(): void {
    this.#socket.destroy();
  }

  #onText(text: string): void {
    if (this.#over) return;
    try {
      for (const value of this.#decoder.push(text)) {
        // One after the other: a renewal that is being signed must not be overtaken.
        this.#queue = this.#queue.then(() => this.#onMessage(value)).catch((error: unknown) => this.#refuse(error));
      }
    } catch (error) {
      this.#refuse(error);
    }
  }

  async #onMessage(value: unknown): Promise<void> {
    if (this.#over) return;
    const message = readMessage(value);
    if (this.#spiffeId === '') {
      if (message.type !== 'join') throw new Error('join first');
      return this.#join(message);
    }
    if (message.type === 'hello') return this.#hello(message);
    if (this.workload === '') throw new Error('hello first');
    if (message.type === 'csr')
      return this.#issue(this.workload, this.#parts.identities.of(this.workload), message.csr);
    this.#parts.events.onMessage(this, message);
  }

  async #join({ token, csr }: { token: string; csr: string }): Promise<void> {
    const workload = this.#parts.tokens.redeem(token);
    if (workload === null) throw new Error('the join token is unknown, used or expired');
    await this.#issue(workload, this.#parts.identities.of(workload), csr);
    this.#end();
  }

  async #issue(workload: string, names: LeafNames | null, csr: string): Promise<void> {
    if (names === null) throw new Error('the join token is unknown, used or expired');
    const { identities } = this.#parts;
    const { authority, renewal } = identities;
    const issued = await authority.sign(csr, names);
    identities.issued(workload, issued);
    this.send({ type: 'identity', certificate: issued.certificate, trustBundle: authority.rootPem, renewal });
  }

  #hello(hello: Hello): void {
    const expected = this.#parts.identities.of(hello.workload);
    if (expected === null || expected.spiffeId !== this.#spiffeId)
      throw new Error('the certificate is not for this workload');
    if (this.workload !== '') throw new Error('hello was said already');
    this.workload = hello.workload;
    this.program = hello.program;
    this.#parts.events.onHello(this, hello);
  }

  #refuse(error: unknown): void {
    const reason = error instanceof Error ? error.message : String(error);
    this.#parts.log.warn({ workload: this.workload, reason }, 'refused on the control stream');
    if (this.#over) return;
    this.send({ type: 'refused', reason });
    this.#end();
  }

  /** Ends our half, and after a while the peer's: who does not listen any more need not be listened to. */
  #end(): void {
    this.#over = true;
    this.#socket.end();
    const linger = this.#parts.clock.after(LINGER_MS, () => this.#socket.destroy());
    this.#socket.on('close', () => linger.cancel());
  }
}
