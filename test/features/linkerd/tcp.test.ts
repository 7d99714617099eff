import { createServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import { startMesh, type TestMesh } from '../../support/mesh.js';
import { portOf, raw } from '../../support/raw.js';
import { policy } from './bed.js';

let mesh: TestMesh;

beforeAll(async () => {
  const database = createServer((socket) => {
    socket.on('error', () => {});
    socket.end('hello');
  });
  const db = workload('db', { ports: [{ port: 3306, protocol: 'tcp' }] });
  mesh = await startMesh(appOf([workload('web'), db]), { db: database as never }, { flavor: 'linkerd' });
});
beforeEach(() => mesh.client.call('deleteResources', { all: true }));
afterAll(() => mesh.close());

async function greeting(...documents: readonly string[]): Promise<string> {
  const files = [{ name: 'tcp.yaml', text: documents.join('\n---\n') }];
  if (documents.length > 0) expect((await mesh.client.call('applyResources', { files })).applied).toBe(true);
  return (await raw(portOf(await mesh.outboundUrl('web', 'db')), 'hi\r\n\r\n')).received;
}

const SERVER = policy(
  'Server',
  'db',
  '{ podSelector: { matchLabels: { app: db } }, port: 3306, proxyProtocol: opaque }',
  'v1beta3',
);
const WEB = policy('MeshTLSAuthentication', 'web', '{ identityRefs: [ { kind: ServiceAccount, name: web } ] }');
const REFS = 'requiredAuthenticationRefs: [ { group: policy.linkerd.io, kind: MeshTLSAuthentication, name: web } ]';
const allow = (target: string): string => policy('AuthorizationPolicy', 'a', `{ targetRef: { ${target} }, ${REFS} }`);

describe('a Server of a TCP port', () => {
  it('closes what nothing authorizes, and lets in who is authenticated', async () => {
    expect(await greeting()).toBe('hello');
    expect(await greeting(SERVER)).toBe('');
    expect(await greeting(SERVER, WEB, allow('kind: Server, name: db'))).toBe('hello');
  });

  it('lets nobody in by an authorization of a route: there are no requests', async () => {
    const parent = '{ group: policy.linkerd.io, kind: Server, name: db }';
    const route = policy('HTTPRoute', 'r', `{ parentRefs: [ ${parent} ], rules: [ { matches: [ {} ] } ] }`, 'v1beta3');
    expect(await greeting(SERVER, route, WEB, allow('kind: HTTPRoute, name: r'))).toBe('');
  });
});

describe('what a Server says that its port speaks', () => {
  const REQUEST = 'GET / HTTP/1.1\r\nhost: db\r\nconnection: close\r\n\r\n';
  const speaking = (protocol: string) =>
    policy(
      'Server',
      'db',
      `{ podSelector: { matchLabels: { app: db } }, port: 3306, accessPolicy: all-unauthenticated${protocol} }`,
      'v1beta3',
    );

  it.each([
    // The app says hello to everybody, which is no answer to a request.
    ['HTTP/1: all is a request', ', proxyProtocol: HTTP/1', /^HTTP\/1.1 400/, /^HTTP\/1.1 50/],
    ['gRPC likewise', ', proxyProtocol: gRPC', /^HTTP\/1.1 400/, /^HTTP\/1.1 50/],
    ['unknown: what looks like one is', ', proxyProtocol: unknown', /^hello$/, /^HTTP\/1.1 50/],
    ['nothing: as the file of the app has it', '', /^hello$/, /^hello$/],
  ])('%s', async (_, protocol, other, request) => {
    expect(await greeting(speaking(protocol))).toMatch(other);
    expect((await raw(portOf(await mesh.outboundUrl('web', 'db')), REQUEST)).received).toMatch(request);
  });

  it('goes before what an annotation calls opaque', async () => {
    const pods = `apiVersion: apps/v1
kind: Deployment
metadata: { name: db }
spec: { selector: { matchLabels: { app: db } }, template: { metadata: { labels: { app: db }, annotations: { config.linkerd.io/opaque-ports: "3306" } } } }`;
    expect(await greeting(pods)).toBe('hello');
    expect(await greeting(pods, speaking(', proxyProtocol: HTTP/1'))).toMatch(/^HTTP\/1.1 400/);
  });
});
