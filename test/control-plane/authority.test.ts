import 'reflect-metadata';
import { createPrivateKey, webcrypto, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Authority, spiffeIdOf } from '../../src/control-plane/authority/authority.js';
import { systemClock } from '../../src/platform/clock.js';
import { newKeyAndRequest } from '../../src/workload/csr.js';
import { leafOf, TERMS } from '../support/authority.js';

const WEB = 'spiffe://cluster.local/ns/default/sa/web';
const HOUR = 3_600_000;
const YEAR = 365 * 24 * HOUR;
/** A whole second: certificates know no smaller part. */
const NOW = Date.UTC(2030, 0, 2, 3, 4, 5);
const P256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

let now = NOW;
const clock = { ...systemClock, now: () => now };
const directories: string[] = [];
let directory: string;
let authority: Authority;

function newDirectory(): string {
  const made = mkdtempSync(join(tmpdir(), 'mesh-authority-'));
  directories.push(made);
  return made;
}

beforeAll(async () => {
  directory = join(newDirectory(), 'ca');
  authority = await Authority.open(directory, clock, TERMS);
});
afterAll(() => {
  for (const made of directories) rmSync(made, { recursive: true, force: true });
});

const issue = async () => (await authority.sign(newKeyAndRequest().csr, leafOf(WEB))).certificate;

/** Everything that a certificate grants: extension by OID, with its criticality. */
function profileOf(pem: string) {
  const certificate = new x509.X509Certificate(pem);
  const { names } = certificate.getExtension(
    x509.SubjectAlternativeNameExtension,
  ) as x509.SubjectAlternativeNameExtension;
  const constraints = certificate.getExtension(x509.BasicConstraintsExtension);
  return {
    subject: certificate.subject,
    issuer: certificate.issuer,
    names: names.toJSON(),
    ca: constraints?.ca,
    pathLength: constraints?.pathLength,
    usages: certificate.getExtension(x509.KeyUsagesExtension)?.usages,
    purposes: certificate.getExtension(x509.ExtendedKeyUsageExtension)?.usages,
    extensions: Object.fromEntries(certificate.extensions.map(({ type, critical }) => [type, critical])),
    notBefore: certificate.notBefore.getTime(),
    notAfter: certificate.notAfter.getTime(),
  };
}

/** A request as somebody else's tool makes it, with wishes of its own. */
async function requestWith(algorithm: object, extensions: x509.Extension[] = []): Promise<string> {
  const keys = (await webcrypto.subtle.generateKey(algorithm as typeof P256, true, [
    'sign',
    'verify',
  ])) as webcrypto.CryptoKeyPair;
  const request = await x509.Pkcs10CertificateRequestGenerator.create({
    name: 'CN=admin',
    keys: keys as Parameters<typeof x509.Pkcs10CertificateRequestGenerator.create>[0]['keys'],
    signingAlgorithm: algorithm as typeof P256,
    extensions,
  });
  return request.toString('pem');
}

describe('the root', () => {
  it('signs leaves and lists, no further authority, for ten years', () => {
    expect(profileOf(authority.rootPem)).toEqual({
      subject: 'O=mesh-sandbox, CN=mesh-sandbox root',
      issuer: 'O=mesh-sandbox, CN=mesh-sandbox root',
      names: [{ type: 'url', value: 'spiffe://cluster.local' }],
      ca: true,
      pathLength: 0,
      usages: x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
      purposes: undefined,
      extensions: { '2.5.29.17': false, '2.5.29.19': true, '2.5.29.15': true },
      notBefore: NOW - 60_000,
      notAfter: NOW + 10 * YEAR,
    });
    const root = new X509Certificate(authority.rootPem);
    expect(root.verify(root.publicKey)).toBe(true);
  });
});

describe('a leaf', () => {
  it('is an X509-SVID: one URI name and nothing else, both purposes, no authority, an hour from a minute ago', async () => {
    expect(profileOf(await issue())).toEqual({
      subject: '',
      issuer: 'O=mesh-sandbox, CN=mesh-sandbox root',
      names: [{ type: 'url', value: WEB }],
      ca: false,
      pathLength: undefined,
      usages: x509.KeyUsageFlags.digitalSignature,
      purposes: [x509.ExtendedKeyUsage.serverAuth, x509.ExtendedKeyUsage.clientAuth],
      // A critical SAN is a must when the subject is empty (RFC 5280, 4.2.1.6).
      extensions: { '2.5.29.17': true, '2.5.29.15': true, '2.5.29.37': false, '2.5.29.19': true },
      notBefore: NOW - 60_000,
      notAfter: NOW + HOUR,
    });
  });

  it('is signed by the root for the key of the request', async () => {
    const { csr, privateKey } = newKeyAndRequest();
    const leaf = new X509Certificate((await authority.sign(csr, leafOf(WEB))).certificate);
    const root = new X509Certificate(authority.rootPem);
    expect(leaf.checkIssued(root)).toBe(true);
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.checkPrivateKey(privateKey)).toBe(true);
  });

  it('has a positive serial of at most 128 bits, another one each time', async () => {
    const serials = new Set<string>();
    for (let i = 0; i < 20; i++) {
      const issued = await authority.sign(newKeyAndRequest().csr, leafOf(WEB));
      const { serialNumber } = new X509Certificate(issued.certificate);
      expect(serialNumber.toLowerCase()).toBe(issued.serial);
      expect(serialNumber).toMatch(/^[0-9A-F]{1,32}$/);
      serials.add(serialNumber);
    }
    expect(serials.size).toBe(20);
  });

  it('does not outlive the root, and an expired root signs nothing', async () => {
    now = NOW + 10 * YEAR - 10_000;
    expect(profileOf(await issue()).notAfter).toBe(NOW + 10 * YEAR);
    now = NOW + 10 * YEAR;
    await expect(issue()).rejects.toThrow('the root certificate has expired');
    now = NOW;
  });

  it('of the control plane has its DNS name beside the SPIFFE ID, and its key', async () => {
    const own = await authority.serverCredentials(WEB, 'control-plane.test');
    expect(profileOf(own.certificate).names).toEqual([
      { type: 'url', value: WEB },
      { type: 'dns', value: 'control-plane.test' },
    ]);
    expect(spiffeIdOf(new X509Certificate(own.certificate).raw)).toBe(WEB);
  });
});

describe('a request', () => {
  it('gives its key and nothing else: names, subject and extensions in it are ignored', async () => {
    const csr = await requestWith(P256, [
      new x509.SubjectAlternativeNameExtension([
        { type: 'url', value: 'spiffe://cluster.local/ns/default/sa/admin' },
        { type: 'dns', value: 'admin' },
      ]),
      new x509.BasicConstraintsExtension(true, 3, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign, true),
    ]);
    const { certificate, spiffeId } = await authority.sign(csr, leafOf(WEB));
    expect(spiffeId).toBe(WEB);
    expect(profileOf(certificate)).toEqual(profileOf(await issue()));
  });

  it('that is not signed by its own key is refused', async () => {
    const [mine, theirs] = [newKeyAndRequest().csr, newKeyAndRequest().csr].map(
      (csr) => new x509.Pkcs10CertificateRequest(csr),
    ) as [x509.Pkcs10CertificateRequest, x509.Pkcs10CertificateRequest];
    // The other's key under my signature: what a thief of a public key would send.
    const swapped = Buffer.from(new Uint8Array(mine.rawData));
    const key = Buffer.from(theirs.publicKey.rawData);
    swapped.set(key, swapped.indexOf(Buffer.from(mine.publicKey.rawData)));
    await expect(authority.sign(pem(swapped), leafOf(WEB))).rejects.toThrow('not signed by the key that it names');
    expect((await authority.sign(pem(Buffer.from(mine.rawData)), leafOf(WEB))).spiffeId).toBe(WEB);
  });

  it.each([
    ['P-384', { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' }],
    ['Ed25519', { name: 'Ed25519' }],
    [
      'RSA of 1,024 bits',
      { name: 'RSASSA-PKCS1-v1_5', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-1' },
    ],
  ])('with another key than P-256 is refused: %s', async (_, algorithm) => {
    await expect(authority.sign(await requestWith(algorithm), leafOf(WEB))).rejects.toThrow('P-256');
  });

  it.each([
    ['nothing', () => ''],
    ['words', () => 'please'],
    ['no DER', () => pem(Buffer.from('please'))],
    [
      'half a request',
      () => pem(Buffer.from(new x509.Pkcs10CertificateRequest(newKeyAndRequest().csr).rawData).subarray(0, 90)),
    ],
    ['a certificate', () => authority.rootPem],
  ])('that is none is refused: %s', async (_, make) => {
    await expect(authority.sign(make(), leafOf(WEB))).rejects.toThrow();
  });
});

describe('the state', () => {
  it('survives: the same root signs on, and older leaves stay good', async () => {
    const before = await issue();
    const again = await Authority.open(directory, clock, TERMS);
    expect(again.rootPem).toBe(authority.rootPem);
    const root = new X509Certificate(authority.rootPem);
    const after = new X509Certificate((await again.sign(newKeyAndRequest().csr, leafOf(WEB))).certificate);
    for (const leaf of [new X509Certificate(before), after]) expect(leaf.verify(root.publicKey)).toBe(true);
  });

  it('of another directory is another root', async () => {
    const other = await Authority.open(newDirectory(), clock, TERMS);
    expect(other.rootPem).not.toBe(authority.rootPem);
    expect(new X509Certificate(await issue()).verify(new X509Certificate(other.rootPem).publicKey)).toBe(false);
  });

  it('is readable by its owner only', () => {
    expect(readdirSync(directory).sort()).toEqual(['root-key.pem', 'root.pem']);
    expect(statSync(directory).mode & 0o077).toBe(0);
    expect(statSync(join(directory, 'root-key.pem')).mode & 0o077).toBe(0);
  });

  it('never shows the key: not in what is issued, not in the object', async () => {
    const secret = secretOf(readFileSync(join(directory, 'root-key.pem'), 'utf8'));
    const server = await authority.serverCredentials(WEB, 'control-plane.test');
    const out = [authority.rootPem, await issue(), server.key, server.certificate];
    for (const text of out)
      expect(Buffer.from(text.replace(/-----[^-]+-----/g, ''), 'base64').includes(secret)).toBe(false);
    expect(Object.keys(authority)).toEqual(['rootPem', 'trustDomain']);
  });
});

function pem(der: Buffer): string {
  return `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
}

/** The private number of a P-256 key. */
function secretOf(key: string): Buffer {
  return Buffer.from(createPrivateKey(key).export({ format: 'jwk' }).d ?? '', 'base64url');
}
