import { readFileSync, statSync } from 'node:fs';
import { isIP, type Socket } from 'node:net';
import {
  createSecureContext,
  rootCertificates,
  type SecureContext,
  type TLSSocket,
  connect as tlsConnect,
} from 'node:tls';
import type { OriginatedTls, Roots } from '../../model/cluster.js';
import type { Security } from '../../model/exchange.js';
import type { ConnectionFault } from '../../model/fault.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { handshake } from './client-handshake.js';

/** A connection whose server proved by a certificate of anybody who is trusted that it has a name. */
export interface Originated {
  readonly socket: TLSSocket;
  readonly security: Security;
}

/** Envoy's own list of what it speaks to HTTP servers, as far as we speak it. */
const ALPN = ['http/1.1'];

interface Known {
  readonly version: string;
  readonly context: SecureContext;
}

/**
 * Secures a connected socket as any client of the internet does (Istio's TLS modes SIMPLE and MUTUAL). Files are read here,
 * at the sidecar, and again once they are others. Rejects with `tls_failure`; never falls back to plaintext.
 */
export class TlsOrigination {
  readonly #contexts = new WeakMap<OriginatedTls, Known>();

  /** `host` = what the request names, with or without a port; '' = there is no request, and nobody is named (Envoy). */
  async secure(
    socket: Socket,
    tls: OriginatedTls,
    host: string,
    sabotage: ConnectionFault | null = null,
  ): Promise<Originated> {
    const named = host.replace(/:\d+$/, '');
    const serverName = tls.sni ?? named;
    let context: SecureContext;
    try {
      if (sabotage !== null) throw new Error(`injected: ${sabotage}`);
      context = this.#contextOf(tls);
    } catch (error) {
      socket.destroy();
      throw new ProxyError('tls_failure', (error as Error).message);
    }
    const secured = tlsConnect({
      socket,
      secureContext: context,
      ...(serverName === '' || isIP(serverName) !== 0 ? {} : { servername: serverName }),
      ALPNProtocols: ALPN,
      rejectUnauthorized: tls.verify,
      checkServerIdentity: (_, certificate) => mismatch(tls, serverName, certificate.subjectaltname ?? ''),
    });
    return handshake(secured, () => ({ socket: secured, security: securityOf(secured, serverName) }));
  }

  #contextOf(tls: OriginatedTls): SecureContext {
    const { roots, client } = tls;
    const own = client === null ? [] : [client.certificate, client.key];
    const files = roots.kind === 'file' ? [roots.path, ...own] : own;
    const version = files.map((path) => `${path} ${read(path, () => statSync(path).mtimeMs)}`).join(' ');
    const known = this.#contexts.get(tls);
    if (known?.version === version) return known.context;
    const context = createSecureContext({
      ca: trusted(roots),
      ...(client === null ? {} : { cert: read(client.certificate, readFileSync), key: read(client.key, readFileSync) }),
    });
    this.#contexts.set(tls, { version, context });
    return context;
  }
}

function trusted(roots: Roots): string | Buffer | string[] {
  switch (roots.kind) {
    case 'system':
      return [...rootCertificates];
    case 'file':
      return read(roots.path, readFileSync);
    case 'certificates':
      return roots.pem;
    case 'none':
      throw new Error(roots.why);
  }
}

function read<T>(path: string, how: (path: string) => T): T {
  try {
    return how(path);
  } catch {
    throw new Error(`${path} cannot be read at the sidecar`);
  }
}

function securityOf(socket: TLSSocket, peer: string): Security {
  return { mode: 'tls', peer, tlsVersion: socket.getProtocol() ?? '', cipher: socket.getCipher().standardName };
}

/**
 * Whether a certificate bears none of the names that count: those that are listed; without a list the name that was asked
 * for, where it is the request's own (Envoy's `auto_san_validation`); where it was chosen apart, trust alone decides.
 */
function mismatch({ names, sni, verify }: OriginatedTls, asked: string, borne: string): Error | undefined {
  const wanted = names.length > 0 ? names : sni === null && asked !== '' ? [asked] : [];
  if (!verify || wanted.length === 0) return undefined;
  const has = borne.split(', ').map((one) => one.slice(one.indexOf(':') + 1));
  const bears = (name: string): boolean => has.some((one) => one === name || isUnder(one, name));
  return wanted.some(bears)
    ? undefined
    : new Error(`the certificate is for ${has.join(', ')}, not for ${wanted.join(' or ')}`);
}

/** `*.example.com` stands for one label. */
function isUnder(pattern: string, name: string): boolean {
  return pattern.startsWith('*.') && name.slice(name.indexOf('.')) === pattern.slice(1);
}
