import 'reflect-metadata';
import { createPublicKey } from 'node:crypto';
import { Pkcs10CertificateRequest } from '@peculiar/x509';
import { describe, expect, it } from 'vitest';
import { newKeyAndRequest } from '../../src/workload/csr.js';

describe('a certification request', () => {
  it('asks for nothing: empty subject, no attributes, the P-256 key that was made', async () => {
    const { csr, privateKey } = newKeyAndRequest();
    const request = new Pkcs10CertificateRequest(csr);
    expect(await request.verify()).toBe(true);
    expect(request.subject).toBe('');
    expect(request.attributes).toEqual([]);
    expect(request.publicKey.algorithm).toEqual({ name: 'ECDSA', namedCurve: 'P-256' });
    const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' });
    expect(Buffer.from(request.publicKey.rawData)).toEqual(spki);
  });

  it('holds the public half only, and keyPem is the private half of it', () => {
    const { csr, keyPem, privateKey } = newKeyAndRequest();
    const secret = Buffer.from(privateKey.export({ format: 'jwk' }).d ?? '', 'base64url');
    const der = Buffer.from(csr.replace(/-----[^-]+-----/g, ''), 'base64');
    expect(secret.length).toBe(32);
    expect(der.includes(secret)).toBe(false);
    expect(createPublicKey(keyPem).equals(createPublicKey(privateKey))).toBe(true);
  });

  it('is made anew, key and all, each time', () => {
    const [a, b] = [newKeyAndRequest(), newKeyAndRequest()];
    expect(a.keyPem).not.toBe(b.keyPem);
    expect(a.csr).not.toBe(b.csr);
  });

  it('verifies whatever the lengths of its integers', async () => {
    // An ECDSA signature is 70 to 72 bytes, now and then less: many requests meet them all.
    for (let i = 0; i < 50; i++) {
      const { csr } = newKeyAndRequest();
      expect(await new Pkcs10CertificateRequest(csr).verify(), csr).toBe(true);
    }
  });
});
