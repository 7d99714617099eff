import 'reflect-metadata';
import { createPrivateKey, randomBytes, webcrypto } from 'node:crypto';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { Authority } from '../../src/control-plane/authority/authority.js';
import { systemClock } from '../../src/platform/clock.js';
import { TERMS } from './authority.js';

/** What a client certificate says. */
export interface Names {
  readonly uris: readonly string[];
  readonly dns: readonly string[];
  readonly expired: boolean;
}

export interface ClientCertificate {
  readonly key: string;
  readonly cert: string;
}

/** Issues client certificates as the authority whose state stands in a directory would, with whatever names are wanted. */
export type Issue = (names: Names) => Promise<ClientCertificate>;

const KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const HOUR = 3_600_000;

export async function issuerOf(stateDir: string): Promise<Issue> {
  x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0]);
  const root = new x509.X509Certificate(readFileSync(join(stateDir, 'root.pem'), 'utf8'));
  const der = createPrivateKey(readFileSync(join(stateDir, 'root-key.pem'), 'utf8')).export({
    format: 'der',
    type: 'pkcs8',
  });
  const signingKey = await webcrypto.subtle.importKey('pkcs8', der, KEY, true, ['sign']);
  const known = new Map<string, Promise<ClientCertificate>>();
  return (names) => {
    const id = JSON.stringify(names);
    const made = known.get(id) ?? issue(names, root, signingKey);
    known.set(id, made);
    return made;
  };
}

/** An authority that nobody in the mesh trusts. */
export async function strangerIssuer(): Promise<Issue> {
  return (await strangeAuthority()).issue;
}

/** The same, with the file of its root's certificate, for who shall trust it. */
export async function strangeAuthority(): Promise<{ readonly issue: Issue; readonly rootFile: string }> {
  const directory = mkdtempSync(join(tmpdir(), 'mesh-stranger-'));
  await Authority.open(directory, systemClock, TERMS);
  return { issue: await issuerOf(directory), rootFile: join(directory, 'root.pem') };
}

async function issue(
  { uris, dns, expired }: Names,
  root: x509.X509Certificate,
  signingKey: webcrypto.CryptoKey,
): Promise<ClientCertificate> {
  const keys = (await webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify'])) as webcrypto.CryptoKeyPair;
  const end = Date.now() + (expired ? -HOUR : HOUR);
  const names = [
    ...uris.map((value) => ({ type: 'url' as const, value })),
    ...dns.map((value) => ({ type: 'dns' as const, value })),
  ];
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: randomBytes(16).toString('hex'),
    subject: '',
    issuer: root.subject,
    notBefore: new Date(end - 2 * HOUR),
    notAfter: new Date(end),
    publicKey: keys.publicKey as never,
    signingKey: signingKey as never,
    signingAlgorithm: KEY,
    extensions: [
      new x509.SubjectAlternativeNameExtension(names, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth]),
      new x509.BasicConstraintsExtension(false, undefined, true),
    ],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  return {
    key: createPrivateKey({ key, format: 'der', type: 'pkcs8' }).export({ format: 'pem', type: 'pkcs8' }).toString(),
    cert: certificate.toString('pem'),
  };
}
