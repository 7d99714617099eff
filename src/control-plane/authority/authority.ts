import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import type { Clock } from '../../platform/clock.js';
import { writeFileDurable } from '../../platform/files.js';

type CryptoKey = webcrypto.CryptoKey;
type CryptoKeyPair = webcrypto.CryptoKeyPair;
const { subtle } = webcrypto;

const KEY_ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const YEAR = 365 * 24 * 3_600_000;

/** Lives and tolerances, ms: root 10 years, not-before 60 s back for clock skew (security rules, 1.5). */
const LIFETIMES = { root: 10 * YEAR, skew: 60_000 } as const;

/** What is signed: the SPIFFE ID, and names beside it. */
export interface LeafNames {
  readonly spiffeId: string;
  readonly dnsNames: readonly string[];
}

export interface AuthorityTerms {
  /** Domain of a root that is made; a stored one keeps its own. */
  readonly trustDomain: string;
  readonly leafMs: number;
}

export interface Issued {
  readonly certificate: string;
  readonly spiffeId: string;
  readonly dnsNames: readonly string[];
  readonly serial: string;
  readonly notBefore: number;
  readonly notAfter: number;
}

/**
 * The mesh's certificate authority. It signs for the name that the caller has proved, and ignores every name, extension
 * and wish in the request; the request only proves possession of the key.
 */
export class Authority {
  readonly rootPem: string;
  readonly trustDomain: string;
  readonly #root: x509.X509Certificate;
  readonly #key: CryptoKey;
  readonly #clock: Clock;
  readonly #leafMs: number;

  private constructor(parts: { root: x509.X509Certificate; key: CryptoKey; clock: Clock; leafMs: number }) {
    this.#root = parts.root;
    this.rootPem = `${parts.root.toString('pem')}\n`;
    this.trustDomain = trustDomainOf(parts.root);
    this.#key = parts.key;
    this.#clock = parts.clock;
    this.#leafMs = parts.leafMs;
  }

  /** Loads the root from `directory`, or makes one and stores it there (0600). */
  static async open(directory: string, clock: Clock, { trustDomain, leafMs }: AuthorityTerms): Promise<Authority> {
    x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
    const files = { key: join(directory, 'root-key.pem'), certificate: join(directory, 'root.pem') };
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (existsSync(files.key) && existsSync(files.certificate)) {
      const root = new x509.X509Certificate(readFileSync(files.certificate, 'utf8'));
      return new Authority({ root, key: await importKey(readFileSync(files.key, 'utf8')), clock, leafMs });
    }
    const { root, keys } = await makeRoot(clock, trustDomain);
    writeFileDurable(files.key, await exportKey(keys.privateKey));
    writeFileDurable(files.certificate, root.toString('pem'));
    return new Authority({ root, key: keys.privateKey, clock, leafMs });
  }

  /** Signs a PKCS#10 request for these names. Throws when it is no request, not signed by its own key, or not for P-256. */
  async sign(csrPem: string, names: LeafNames): Promise<Issued> {
    const request = new x509.Pkcs10CertificateRequest(csrPem);
    const { namedCurve } = request.publicKey.algorithm as { namedCurve?: string };
    if (namedCurve !== KEY_ALGORITHM.namedCurve) throw new Error('the key of the request is not a P-256 key');
    if (!(await request.verify())) throw new Error('the request is not signed by the key that it names');
    return this.#issue(await request.publicKey.export(), names);
  }

  /** A certificate for the control plane's own listener, with its key. */
  async serverCredentials(spiffeId: string, dnsName: string): Promise<{ key: string; certificate: string }> {
    const keys = (await subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify'])) as CryptoKeyPair;
    const issued = await this.#issue(keys.publicKey, { spiffeId, dnsNames: [dnsName] });
    return { key: await exportKey(keys.privateKey), certificate: issued.certificate };
  }

  async #issue(publicKey: CryptoKey, { spiffeId, dnsNames }: LeafNames): Promise<Issued> {
    const now = this.#clock.now();
    const notBefore = new Date(now - LIFETIMES.skew);
    const notAfter = new Date(Math.min(now + this.#leafMs, this.#root.notAfter.getTime()));
    if (notAfter.getTime() <= now) throw new Error('the root certificate has expired');
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: randomBytes(16).toString('hex'),
      subject: '',
      issuer: this.#root.subject,
      notBefore,
      notAfter,
      publicKey,
      signingKey: this.#key,
      signingAlgorithm: KEY_ALGORITHM,
      extensions: leafExtensions(spiffeId, dnsNames),
    });
    return {
      certificate: `${certificate.toString('pem')}\n`,
      spiffeId,
      dnsNames,
      serial: certificate.serialNumber,
      notBefore: notBefore.getTime(),
      notAfter: notAfter.getTime(),
    };
  }
}

/** X509-SVID: SAN critical since the subject is empty, KeyUsage critical, both purposes, no authority. */
function leafExtensions(spiffeId: string, dnsNames: readonly string[]): x509.Extension[] {
  const names: x509.JsonGeneralNames = [
    { type: 'url', value: spiffeId },
    ...dnsNames.map((value) => ({ type: 'dns' as const, value })),
  ];
  return [
    new x509.SubjectAlternativeNameExtension(names, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
    new x509.BasicConstraintsExtension(false, undefined, true),
  ];
}

async function makeRoot(
  clock: Clock,
  trustDomain: string,
): Promise<{ root: x509.X509Certificate; keys: CryptoKeyPair }> {
  const keys = (await subtle.generateKey(KEY_ALGORITHM, true, ['sign', 'verify'])) as CryptoKeyPair;
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: randomBytes(16).toString('hex'),
    name: 'O=mesh-sandbox, CN=mesh-sandbox root',
    notBefore: new Date(clock.now() - LIFETIMES.skew),
    notAfter: new Date(clock.now() + LIFETIMES.root),
    keys: keys as Parameters<typeof x509.X509CertificateGenerator.createSelfSigned>[0]['keys'],
    signingAlgorithm: KEY_ALGORITHM,
    extensions: [
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `${SCHEME}${trustDomain}` }]),
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
    ],
  });
  return { root, keys };
}

async function exportKey(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await subtle.exportKey('pkcs8', key));
  return createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
    .export({ format: 'pem', type: 'pkcs8' })
    .toString();
}

async function importKey(pem: string): Promise<CryptoKey> {
  const der = createPrivateKey(pem).export({ format: 'der', type: 'pkcs8' });
  return subtle.importKey('pkcs8', der, KEY_ALGORITHM, true, ['sign']);
}

const SCHEME = 'spiffe://';

function trustDomainOf(root: x509.X509Certificate): string {
  return uriOf(root).slice(SCHEME.length);
}

/** SPIFFE ID of a peer's certificate as TLS handed it over, or '' (validity was TLS's to check). */
export function spiffeIdOf(raw: Buffer): string {
  return uriOf(new x509.X509Certificate(raw));
}

function uriOf(certificate: x509.X509Certificate): string {
  const names = certificate.getExtension(x509.SubjectAlternativeNameExtension)?.names.toJSON() ?? [];
  const uris = names.filter(({ type }) => type === 'url');
  return uris.length === 1 ? (uris[0]?.value ?? '') : '';
}
