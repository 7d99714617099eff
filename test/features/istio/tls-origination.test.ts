import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer as createPlain } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { strangeAuthority } from '../../support/certificates.js';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';

let bed: PolicyBed;
let server: Server;
let strict: Server;
let plain: ReturnType<typeof createPlain>;
let roots = '';
const directory = mkdtempSync(join(tmpdir(), 'mesh-origination-'));
const seen: (string | false)[] = [];

beforeAll(async () => {
  bed = await policyBed('istio', { reviews: (_, response) => response.end('reviews') });
  const { issue, rootFile } = await strangeAuthority();
  roots = rootFile;
  const { key, cert } = await issue({ uris: [], dns: ['shop.example'], expired: false });
  const own = await issue({ uris: [], dns: ['web.example'], expired: false });
  writeFileSync(join(directory, 'own.pem'), own.cert);
  writeFileSync(join(directory, 'own.key'), own.key);
  const answer = (
    request: { socket: unknown; url?: string | undefined },
    response: { end: (text: string) => void },
  ) => {
    seen.push((request.socket as TLSSocket & { servername: string | false }).servername);
    response.end(`outside ${request.url}`);
  };
  server = createServer({ key, cert }, answer);
  strict = createServer({ key, cert, ca: readFileSync(roots), requestCert: true, rejectUnauthorized: true }, answer);
  plain = createPlain((_, response) => response.end('in plaintext'));
  for (const one of [server, strict, plain]) await new Promise<void>((done) => one.listen(0, '127.0.0.1', done));
});
afterEach(async () => {
  seen.length = 0;
  await bed.reset();
});
afterAll(async () => {
  await bed.close();
  for (const one of [server, strict, plain]) one.close();
  rmSync(directory, { recursive: true });
});

const portOf = (one: { address(): unknown }) => (one.address() as AddressInfo).port;

/** A host outside of the mesh, and how callers secure what they say to it. */
function outside(tls: string, to: { address(): unknown } = server, host = 'shop.example'): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: shop }
spec:
  hosts: [ ${host} ]
  ports: [ { number: 9080, name: http, protocol: HTTP } ]
  resolution: STATIC
  endpoints: [ { address: 127.0.0.1, ports: { http: ${portOf(to)} } } ]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: shop }
spec: { host: ${host}, trafficPolicy: { portLevelSettings: [ { port: { number: 9080 }, tls: { ${tls} } } ] } }`;
}

let asked = 0;
const ask = (path = '/', host = 'shop.example') =>
  bed.call('reviews', path, { headers: { host: `${host}:9080`, 'x-request-id': `request-${++asked}` } });

/** The newest request, as it is explained. */
const explained = (): Promise<string> => bed.explained(`request-${asked}`);

describe('DestinationRule, tls SIMPLE to a host outside of the mesh', () => {
  it('speaks TLS under the name that the request has, to whoever proves it', async () => {
    expect(await bed.apply(outside(`mode: SIMPLE, caCertificates: ${roots}`))).toEqual([]);
    expect(await ask('/a')).toMatchObject({ status: 200, body: 'outside /a' });
    expect((await ask('/b')).body).toBe('outside /b');
    expect(seen).toEqual(['shop.example', 'shop.example']);
    expect(await explained()).toMatch(/over TLS without identities of the mesh \(TLSv1.3, it proved shop.example\)/);
  });

  it.each([
    [
      'another name than its certificate bears',
      () => outside(`mode: SIMPLE, caCertificates: ${roots}`, server, 'a.example'),
      'a.example',
      /the certificate is for shop.example, not for a.example/,
    ],
    [
      'a certificate that the system does not trust',
      () => outside('mode: SIMPLE'),
      'shop.example',
      /self-signed certificate in certificate chain|unable to (verify the first|get local issuer) certificate/,
    ],
    [
      'none of the subjectAltNames',
      () => outside(`mode: SIMPLE, caCertificates: ${roots}, subjectAltNames: [ b.example ]`),
      'shop.example',
      /not for b.example/,
    ],
    [
      'a file that is not there',
      () => outside('mode: SIMPLE, caCertificates: /nowhere/roots.pem'),
      'shop.example',
      /\/nowhere\/roots.pem cannot be read at the sidecar/,
    ],
    [
      'a server that wants a certificate',
      () => outside(`mode: SIMPLE, caCertificates: ${roots}`, strict),
      'shop.example',
      /./,
    ],
    [
      'a server that speaks plaintext',
      () => outside(`mode: SIMPLE, caCertificates: ${roots}`, plain),
      'shop.example',
      /wrong version number|packet length too long|closed/,
    ],
  ])('%s: 503, and nothing is said in plaintext', async (_, documents, host, why) => {
    await bed.apply(documents());
    expect((await ask('/', host)).status).toBe(503);
    expect(seen).toEqual([]);
    expect(await explained()).toMatch(why);
  });

  it.each([
    ['an sni of its own: trust alone decides', () => `sni: other.example, caCertificates: ${roots}`, 'other.example'],
    ['subjectAltNames', () => `subjectAltNames: [ b.example, shop.example ], caCertificates: ${roots}`, 'shop.example'],
    ['insecureSkipVerify', () => 'insecureSkipVerify: true', 'shop.example'],
  ])('%s', async (_, more, sni) => {
    await bed.apply(outside(`mode: SIMPLE, ${more()}`));
    expect((await ask()).status).toBe(200);
    expect(seen).toEqual([sni]);
  });

  it('MUTUAL proves itself with the files that it names', async () => {
    const files = `clientCertificate: ${join(directory, 'own.pem')}, privateKey: ${join(directory, 'own.key')}`;
    await bed.apply(outside(`mode: MUTUAL, ${files}, caCertificates: ${roots}`, strict));
    expect(await ask('/m')).toMatchObject({ status: 200, body: 'outside /m' });
  });

  it('a credentialName is told: sidecars look none up, and nothing is encrypted', async () => {
    expect(await bed.apply(outside('mode: SIMPLE, credentialName: c', plain))).toEqual(['MS0001']);
    expect((await ask()).body).toBe('in plaintext');
  });

  it('ISTIO_MUTUAL is spoken to whoever answers, and nobody outside proves an identity of the mesh', async () => {
    await bed.apply(outside('mode: ISTIO_MUTUAL'));
    expect((await ask()).status).toBe(503);
    expect(seen).toEqual([]);
  });

  it('is described as it happens', async () => {
    await bed.apply(outside(`mode: SIMPLE, caCertificates: ${roots}`));
    const described = await bed.mesh.client.call('explainRequest', { from: 'web', to: 'shop.example:9080', path: '/' });
    expect(described.steps.map(({ text }) => text).join('\n')).toMatch(/over TLS without identities of the mesh/);
  });
});

describe('DestinationRule, tls SIMPLE within the mesh', () => {
  const rule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews, trafficPolicy: { tls: { mode: SIMPLE, insecureSkipVerify: true } } }`;

  it('reaches nobody: the callee’s sidecar takes TLS of the mesh only, and apps speak none', async () => {
    await bed.apply(rule);
    expect((await bed.call('reviews')).status).toBe(503);
  });
});
