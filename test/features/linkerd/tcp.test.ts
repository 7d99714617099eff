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
  return (await raw(portOf(await mesh.outboundUrl('web', 'db')), 'hi\n')).received;
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
