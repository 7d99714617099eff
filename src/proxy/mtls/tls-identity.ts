import { constants, createHash } from 'node:crypto';
import type { Socket } from 'node:net';
import {
  createSecureContext,
  createServer,
  type SecureContext,
  type Server,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import type { Security } from '../../model/exchange.js';
import type { ConnectionFault } from '../../model/fault.js';
import type { InboundConfig } from '../../model/sidecar-config.js';
import { parseSpiffeId } from '../../model/spiffe-id.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { handshake } from './client-handshake.js';
import { dnsNamesOf, SvidError, verifyLeaf } from './svid.js';

/** Key, certificate chain and roots, all PEM, as the workload's join or renewal gave them. */
export interface Credentials {
  readonly key: string;
  readonly certificate: string;
  readonly trustBundle: string;
  readonly spiffeId: string;
  /** Epoch ms. */
  readonly notAfter: number;
}

/** A connection whose peer proved its identity. */
export interface Secured {
  readonly socket: TLSSocket;
  readonly security: Security;
  /** SHA-256 of the peer's certificate, hex. */
  readonly certificateHash: string;
  /** Names that the peer's certificate bears beside its SPIFFE ID. */
  readonly dnsNames: readonly string[];
}

/** TLS 1.3 only, one curve (P-256 certificates, X25519 exchange), no resumption (F3). */
const COMMON = {
  minVersion: 'TLSv1.3',
  maxVersion: 'TLSv1.3',
  ecdhCurve: 'X25519',
  secureOptions: constants.SSL_OP_NO_TICKET,
} as const;

const CIPHERS = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256';
/** What no sidecar accepts. */
const TLS_1_2 = createSecureContext({ minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' });

/** Istio's token for "between sidecars". */
const ALPN = ['istio'];
/** What a sidecar may call itself (Istio's own offer several). */
const MESH_ALPN = new Set([...ALPN, 'istio-http/1.1', 'istio-http/1.0', 'istio-peer-exchange']);

/** Whether a client's offer of protocols says that it is a sidecar. */
export function isMeshOffer(offered: readonly string[]): boolean {
  return offered.some((name) => MESH_ALPN.has(name));
}

/**
 * This workload's identity on TLS connections, both as client and as server. One secure context per identity: building
 * one costs 0.4-1 ms. Renewal swaps it; connections that exist go on.
 */
export class TlsIdentity {
  readonly #now: () => number;
  #credentials: Credentials | null = null;
  #client: SecureContext | null = null;
  #server: Server | null = null;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** Peers must be of the domain in which we are. */
  get #trustDomain(): string {
    return parseSpiffeId(this.spiffeId)?.trustDomain ?? '';
  }

  get spiffeId(): string {
    return this.#credentials?.spiffeId ?? '';
  }

  /** Takes new credentials into use; throws when they do not fit together, and then the old ones stay. */
  use(credentials: Credentials): void {
    const options = { ...COMMON, key: credentials.key, cert: credentials.certificate, ca: credentials.trustBundle };
    const client = createSecureContext({ ...options, ciphers: CIPHERS });
    this.#server?.setSecureContext(options);
    this.#client = client;
    this.#credentials = credentials;
  }

  /**
   * Secures a connected socket as client and proves that the server is one of `expected` (secure naming), or anybody of
   * the mesh where none is expected. Rejects with
   * `own_identity_unavailable`, `tls_failure` or `identity_mismatch`; never falls back to plaintext.
   */
  secure(
    socket: Socket,
    serverName: string,
    expected: readonly string[],
    sabotage: ConnectionFault | null = null,
  ): Promise<Secured> {
    if (this.#client === null || this.#credentials === null || this.#credentials.notAfter <= this.#now()) {
      return Promise.reject(new ProxyError('own_identity_unavailable'));
    }
    // No server of the mesh speaks what this one offers: its alert is a real one.
    const context = sabotage === 'tls-failure' ? TLS_1_2 : this.#client;
    const tls = tlsConnect({
      socket,
      secureContext: context,
      servername: serverName,
      ALPNProtocols: ALPN,
      checkServerIdentity: () => undefined,
    });
    return handshake(tls, () => (sabotage === 'expired-certificate' ? this.#expired(tls) : this.#prove(tls, expected)));
  }

  /** The TLS side of an inbound listener: feed it sockets with `emit('connection', socket)`. */
  server(onSecure: (secured: Secured) => void, onRefused: (socket: Socket, reason: string) => void): Server {
    const credentials = this.#credentials;
    const server = createServer({
      ...COMMON,
      ciphers: CIPHERS,
      requestCert: true,
      rejectUnauthorized: true,
      // Who came so far is served whatever it offers: its certificate decides.
      ALPNCallback: ({ protocols }) => protocols.find((name) => MESH_ALPN.has(name)) ?? protocols[0],
      allowHalfOpen: true,
      ...(credentials === null
        ? {}
        : { key: credentials.key, cert: credentials.certificate, ca: credentials.trustBundle }),
    });
    server.on('secureConnection', (socket) => {
      try {
        onSecure(this.#read(socket));
      } catch (error) {
        onRefused(socket, error instanceof Error ? error.message : String(error));
        socket.destroy();
      }
    });
    server.on('tlsClientError', (error, socket) => {
      onRefused(socket, error.message);
      socket.destroy();
    });
    this.#server = server;
    return server;
  }

  /** What a secured connection proves, read once (Node gives the peer's certificate once only); throws SvidError. */
  #read(socket: TLSSocket): Secured {
    const peer = socket.getPeerX509Certificate();
    if (peer === undefined) throw new SvidError('no certificate');
    const id = verifyLeaf(peer.raw, this.#trustDomain, this.#now());
    const security: Security = {
      mode: 'mtls',
      peer: id.uri,
      tlsVersion: socket.getProtocol() ?? '',
      cipher: socket.getCipher().standardName,
    };
    return {
      socket,
      security,
      certificateHash: createHash('sha256').update(peer.raw).digest('hex'),
      dnsNames: dnsNamesOf(peer.raw),
    };
  }

  /** What it would be to meet the peer's certificate after its end. */
  #expired(socket: TLSSocket): ProxyError {
    const peer = socket.getPeerX509Certificate();
    try {
      if (peer !== undefined) verifyLeaf(peer.raw, this.#trustDomain, Date.parse(peer.validTo) + 1_000);
    } catch (error) {
      return new ProxyError('tls_failure', `injected: ${error instanceof Error ? error.message : error}`);
    }
    return new ProxyError('tls_failure', 'injected: certificate has expired');
  }

  #prove(socket: TLSSocket, expected: readonly string[]): Secured | ProxyError {
    try {
      const secured = this.#read(socket);
      if (expected.length === 0 || expected.includes(secured.security.peer)) return secured;
      return new ProxyError('identity_mismatch', `expected ${expected.join(' or ')}, got ${secured.security.peer}`);
    } catch (error) {
      return new ProxyError('identity_mismatch', error instanceof Error ? error.message : String(error));
    }
  }
}

/** SNI as Istio writes it: `outbound_.9080_.v2_.reviews.default.svc.cluster.local`. */
export function serverNameOf(cluster: { readonly name: string }): string {
  return cluster.name.replaceAll('|', '_.');
}

/**
 * The field line by which the app learns who calls: Envoy's `x-forwarded-client-cert` (SANITIZE_SET), or Linkerd's
 * `l5d-client-id`.
 */
export function callerField(secured: Secured, own: string, name: InboundConfig['callerField']): string {
  const { certificateHash, dnsNames, security } = secured;
  if (name !== undefined) return dnsNames[0] === undefined ? '' : `${name}: ${dnsNames[0]}\r\n`;
  return `x-forwarded-client-cert: By=${own};Hash=${certificateHash};Subject="";URI=${security.peer}\r\n`;
}
