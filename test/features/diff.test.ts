import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';

let mesh: TestMesh;

beforeAll(async () => {
  mesh = await startMesh(appOf([workload('web-v1'), workload('reviews-v1'), workload('reviews-v2')]), {});
});
afterAll(() => mesh.close());

const SPLIT = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [reviews]
  http:
  - match: [ { headers: { end-user: { exact: jason } } } ]
    route: [ { destination: { host: reviews, subset: v2 } } ]
    timeout: 2s
  - route: [ { destination: { host: reviews } } ]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec:
  host: reviews
  trafficPolicy: { connectionPool: { tcp: { maxConnections: 1 } } }
  subsets: [ { name: v2, labels: { version: v2 } } ]
`;
const STRICT = `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: strict }
spec: { selector: { matchLabels: { version: v2 } }, mtls: { mode: STRICT } }
`;

const diff = (text: string) => mesh.client.call('diffResources', { files: [{ name: 'p.yaml', text }] });

describe('diff', () => {
  it('says in words what changes for whom, and which line says so', async () => {
    const { differences, changes } = await diff(SPLIT);
    expect(changes.map(({ object, change }) => `${object} ${change}`)).toEqual([
      'VirtualService default/reviews created',
      'DestinationRule default/reviews created',
    ]);
    const everybody = ['web-v1', 'reviews-v1', 'reviews-v2', 'gateway'];
    const added = differences.find(({ kind, about }) => kind === 'added' && about === 'calls to reviews:9080');
    expect(added?.who).toEqual(everybody.slice(0, 3));
    expect(added?.text).toBe(
      'rule 1 of VirtualService default/reviews: requests where the header end-user is "jason" go to reviews:9080 v2, within 2000 ms, retried up to 2 times on connect-failure, refused-stream, unavailable, cancelled',
    );
    expect(added?.source).toMatchObject({ file: 'p.yaml', line: 7 });
    expect(differences.filter(({ about }) => about === 'connections to reviews:9080').map(({ text }) => text)).toEqual([
      'maxConnections: without limit → at most 1',
    ]);
    expect(differences.find(({ about }) => about === 'connections to reviews:9080 v2')?.kind).toBe('added');
  });

  it('tells callees apart from callers', async () => {
    const { differences } = await diff(STRICT);
    expect(differences).toEqual([
      {
        kind: 'changed',
        who: ['reviews-v2'],
        about: 'callers of reviews-v2',
        text: 'heard over mutual TLS and in plaintext → over mutual TLS only',
        source: null,
      },
    ]);
  });

  it('tells who would be let in and who would not', async () => {
    const { differences } = await diff(`apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: web-only }
spec:
  selector: { matchLabels: { version: v1, app: reviews } }
  rules:
  - from: [ { source: { principals: [cluster.local/ns/default/sa/web] } } ]
    to: [ { operation: { methods: [GET] } } ]
`);
    expect(differences.map(({ who, kind, text }) => [who.join(), kind, text])).toEqual([
      [
        'reviews-v1',
        'added',
        'rule 1 of AuthorizationPolicy default/web-only: allow principals: cluster.local/ns/default/sa/web; methods: GET',
      ],
      ['reviews-v1', 'added', expect.stringMatching(/^all others: deny, /)],
    ]);
  });

  it('tells what ports speak, whether apps are told who calls, and what holds for other origins', async () => {
    const entry = (kind: string, name: string, spec: string) =>
      `apiVersion: consul.hashicorp.com/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}\n`;
    const told = async (text: string) =>
      (await diff(text)).differences.map(({ who, about, text: words }) => [who.join(), about, words]);
    const words = 'are requests → are connections, which are not looked into';
    expect(await told(entry('ServiceDefaults', 'reviews', '{ protocol: tcp }'))).toEqual([
      ['web-v1,reviews-v1,reviews-v2,gateway', 'calls to reviews:9080', words],
      ['reviews-v1', 'callers of reviews-v1 on port 9080', words],
      ['reviews-v2', 'callers of reviews-v2 on port 9080', words],
    ]);
    expect(await told(entry('Mesh', 'mesh', '{ http: { sanitizeXForwardedClientCert: true } }'))).toContainEqual([
      'web-v1',
      'callers of web-v1',
      'are told to the app → kept from the app',
    ]);
    const cors = await told(`apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec: { hosts: [ reviews ], http: [ { route: [ { destination: { host: reviews } } ], corsPolicy: { allowOrigins: [ { exact: "*" } ] } } ] }
`);
    expect(JSON.stringify(cors)).toContain('with a policy for other origins');
  });

  it('applies nothing, and finds nothing in what is applied already', async () => {
    await diff(SPLIT);
    expect(await mesh.client.call('resources', {})).toEqual([]);
    await mesh.client.call('applyResources', { files: [{ name: 'p.yaml', text: SPLIT }] });
    expect((await diff(SPLIT)).differences).toEqual([]);
    await mesh.client.call('deleteResources', { all: true });
  });
});
