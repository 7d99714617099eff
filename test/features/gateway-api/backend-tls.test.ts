import { readFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { strangeAuthority } from '../../support/certificates.js';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';

let bed: PolicyBed;
let server: Server;
let pem = '';
const seen: (string | false)[] = [];

beforeAll(async () => {
  bed = await policyBed('istio', { reviews: (_, response) => response.end('reviews') });
  const { issue, rootFile } = await strangeAuthority();
  pem = readFileSync(rootFile, 'utf8');
  const { key, cert } = await issue({ uris: ['spiffe://shop/secure'], dns: ['secure.example'], expired: false });
  server = createServer({ key, cert }, (request, response) => {
    seen.push((request.socket as TLSSocket & { servername: string | false }).servername);
    response.end(`secure ${request.url}`);
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
});
afterEach(async () => {
  seen.length = 0;
  await bed.reset();
});
afterAll(async () => {
  await bed.close();
  server.close();
});

/** A Service without a sidecar, whose server speaks TLS, and a route that leads there. */
function secure(): string {
  return `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: secure }
spec:
  hosts: [ secure.default.svc.cluster.local ]
  ports: [ { number: 443, name: https, protocol: HTTPS } ]
  resolution: STATIC
  endpoints: [ { address: 127.0.0.1, ports: { https: ${(server.address() as AddressInfo).port} } } ]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: reviews }
spec:
  parentRefs: [ { group: "", kind: Service, name: reviews } ]
  rules: [ { backendRefs: [ { name: secure, port: 443 } ] } ]`;
}

function policy(
  validation: string,
  { name = 'secure', target = '{ group: "", kind: Service, name: secure }', created = '2026-01-01T00:00:00Z' } = {},
): string {
  return `apiVersion: gateway.networking.k8s.io/v1
kind: BackendTLSPolicy
metadata: { name: ${name}, creationTimestamp: "${created}" }
spec:
  targetRefs: [ ${target} ]
  validation: { ${validation} }`;
}

const map = (text = pem): string => `apiVersion: v1
kind: ConfigMap
metadata: { name: roots }
data:
  ca.crt: |
${text.replace(/^/gm, '    ')}`;

const BY_MAP = 'caCertificateRefs: [ { group: "", kind: ConfigMap, name: roots } ]';

let asked = 0;
const ask = (path: string) => bed.call('reviews', path, { headers: { 'x-request-id': `request-${++asked}` } });

/** The newest request, as it is explained. */
const explained = (): Promise<string> => bed.explained(`request-${asked}`);

/** Conditions of the policies that are in force, as `get` shows them. */
async function conditions(): Promise<string[]> {
  const all = await bed.mesh.client.call('resources', { kind: 'BackendTLSPolicy' });
  return all.flatMap(({ name, status }) =>
    (status?.ancestors ?? []).flatMap(({ ancestorRef, conditions: those }) =>
      those.map(
        ({ type, status: value, reason }) =>
          `${name} ${ancestorRef.kind} ${ancestorRef.name}: ${type}=${value} ${reason}`,
      ),
    ),
  );
}

const GOOD = ['secure Service secure: Accepted=True Accepted', 'secure Service secure: ResolvedRefs=True ResolvedRefs'];

describe('BackendTLSPolicy', () => {
  it('callers speak TLS to the Service and trust the certificates of the ConfigMap', async () => {
    expect(await bed.apply(secure(), map(), policy(`hostname: secure.example, ${BY_MAP}`))).toEqual([]);
    expect(await ask('/a')).toMatchObject({ status: 200, body: 'secure /a' });
    expect(seen).toEqual(['secure.example']);
    expect(await explained()).toMatch(/over TLS without identities of the mesh \(TLSv1.3, it proved secure.example\)/);
    expect(await conditions()).toEqual(GOOD);
  });

  it.each([
    [
      'another host name than the certificate bears',
      () => `hostname: other.example, ${BY_MAP}`,
      /not for other.example/,
    ],
    [
      'none of the subjectAltNames',
      () => `hostname: secure.example, subjectAltNames: [ { type: Hostname, hostname: b.example } ], ${BY_MAP}`,
      /not for b.example/,
    ],
    [
      'authorities of the system do not know it',
      () => 'hostname: secure.example, wellKnownCACertificates: System',
      /certificate/,
    ],
  ])('%s: 503', async (_, validation, why) => {
    await bed.apply(secure(), map(), policy(validation()));
    expect((await ask('/')).status).toBe(503);
    expect(seen).toEqual([]);
    expect(await explained()).toMatch(why);
  });

  it('where names are listed the host name is SNI alone', async () => {
    const names = 'subjectAltNames: [ { type: URI, uri: "spiffe://shop/secure" } ]';
    await bed.apply(secure(), map(), policy(`hostname: any.example, ${names}, ${BY_MAP}`));
    expect((await ask('/')).status).toBe(200);
    expect(seen).toEqual(['any.example']);
  });

  it.each([
    ['there is no such ConfigMap', () => [], BY_MAP, 'InvalidCACertificateRef'],
    ['it holds no certificates', () => [map('none')], BY_MAP, 'InvalidCACertificateRef'],
    [
      'another kind is referred to',
      () => [],
      'caCertificateRefs: [ { group: "", kind: Secret, name: roots } ]',
      'InvalidKind',
    ],
  ])('%s: calls fail, never in plaintext, and analyze says so', async (_, more, refs, reason) => {
    const documents = [secure(), ...more(), policy(`hostname: secure.example, ${refs}`)];
    await bed.apply(...documents);
    expect((await ask('/')).status).toBe(503);
    expect(await explained()).toMatch(/BackendTLSPolicy default\/secure asks for, failed: /);
    expect(await conditions()).toEqual([
      'secure Service secure: Accepted=False NoValidCACertificate',
      `secure Service secure: ResolvedRefs=False ${reason}`,
    ]);
    const { findings } = await bed.mesh.client.call('analyzeResources', { files: [] });
    expect(findings.filter(({ code }) => code === 'MS0148')).toHaveLength(1);
    const described = await bed.mesh.client.call('explainRequest', { from: 'web', to: 'reviews', path: '/' });
    expect(described.steps.map(({ text }) => text).join('\n')).toMatch(
      /failed: BackendTLSPolicy default\/secure \(policies.yaml:\d+\): /,
    );
  });

  it('of two about one Service the older holds, and the other is told', async () => {
    const other = { name: 'another', created: '2026-02-01T00:00:00Z' };
    await bed.apply(
      secure(),
      map(),
      policy(`hostname: wrong.example, ${BY_MAP}`, other),
      policy(`hostname: secure.example, ${BY_MAP}`),
    );
    expect((await ask('/')).status).toBe(200);
    expect((await conditions()).toSorted()).toEqual([
      'another Service secure: Accepted=False Conflicted',
      'another Service secure: ResolvedRefs=True ResolvedRefs',
      ...GOOD,
    ]);
    const { findings } = await bed.mesh.client.call('analyzeResources', { files: [] });
    expect(findings.filter(({ code }) => code === 'MS0149').map(({ message }) => message)).toEqual([
      'BackendTLSPolicy default/secure is older and says it already, so the policy has no effect there',
    ]);
  });

  it('what a DestinationRule says of TLS goes first', async () => {
    const rule = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: secure }
spec: { host: secure, trafficPolicy: { tls: { mode: SIMPLE, sni: of.the.rule, insecureSkipVerify: true } } }`;
    await bed.apply(secure(), map(), rule, policy(`hostname: secure.example, ${BY_MAP}`));
    expect((await ask('/')).status).toBe(200);
    expect(seen).toEqual(['of.the.rule']);
  });

  it.each([
    ['a sectionName is the port of that name', 'https', 200, []],
    ['a port of no such name', 'web', 503, ['MS0140']],
  ])('%s', async (_, section, status, codes) => {
    const service = `apiVersion: v1
kind: Service
metadata: { name: secure }
spec: { ports: [ { name: https, port: 443 }, { name: metrics, port: 9090 } ] }`;
    const target = `{ group: "", kind: Service, name: secure, sectionName: ${section} }`;
    const documents = [secure(), service, map(), policy(`hostname: secure.example, ${BY_MAP}`, { target })];
    await bed.apply(...documents);
    expect((await ask('/')).status).toBe(status);
    const { findings } = await bed.mesh.client.call('analyzeResources', { files: [] });
    expect(findings.filter(({ object }) => object.startsWith('BackendTLS')).map(({ code }) => code)).toEqual(codes);
  });

  it('the status names the Gateways whose routes lead there', async () => {
    const gateway = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: shop }
spec: { gatewayClassName: istio, listeners: [ { name: http, port: 80, protocol: HTTP } ] }
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: enter }
spec: { parentRefs: [ { name: shop } ], rules: [ { backendRefs: [ { name: secure, port: 443 } ] } ] }`;
    await bed.apply(secure(), map(), gateway, policy(`hostname: secure.example, ${BY_MAP}`));
    expect(await conditions()).toEqual([
      ...GOOD,
      'secure Gateway shop: Accepted=True Accepted',
      'secure Gateway shop: ResolvedRefs=True ResolvedRefs',
    ]);
  });
});
