import { type AddressInfo, createServer, type Server } from 'node:net';
import { connect as tlsConnect } from 'node:tls';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { idOf } from '../support/authority.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { raw } from '../support/raw.js';

type Outcome = 'ok' | 'refused' | 'passed through';

let mesh: TestMesh;
let credentials: { key: string; certificate: string };
const servers: Server[] = [];
/** First bytes of TLS that reached an app as they were. */
let untouched = 0;
const ports = [
  { port: 8000, protocol: 'http' as const },
  { port: 9000, protocol: 'tcp' as const },
];

beforeAll(async () => {
  const places: Record<string, Record<number, number>> = {};
  for (const name of ['foo', 'bar']) places[name] = { 8000: await app(), 9000: await app() };
  mesh = await startMesh(appOf(['foo', 'bar'].map((name) => workload(name, { ports, namespace: name }))), places);
  credentials = await mesh.plane.identities.authority.serverCredentials(idOf('curl'), 'curl');
});
afterEach(() => mesh.client.call('deleteResources', { all: true }));
afterAll(async () => {
  await mesh.close();
  for (const server of servers) server.close();
});

/** Answers what is HTTP, and hangs up on TLS that was meant for it. */
async function app(): Promise<number> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', (data) => {
      if (data[0] === 0x16) untouched++;
      socket.end(data[0] === 0x16 ? '' : 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\nconnection: close\r\n\r\nok');
    });
  });
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const GET = 'GET / HTTP/1.1\r\nHost: foo\r\nConnection: close\r\n\r\n';

async function portOf(name: string, port: number): Promise<number> {
  const view = (await mesh.client.call('workloads', {})).find((one) => one.name === name);
  return view?.listenPorts[`in:${port}`] ?? 0;
}

async function plaintext(name: string, port: number): Promise<Outcome> {
  const { received } = await raw(await portOf(name, port), GET);
  return received.startsWith('HTTP/1.1 200') ? 'ok' : 'refused';
}

async function mutual(name: string, port: number): Promise<Outcome> {
  const to = await portOf(name, port);
  untouched = 0;
  const received = await new Promise<string>((resolve) => {
    const socket = tlsConnect({
      host: '127.0.0.1',
      port: to,
      key: credentials.key,
      cert: credentials.certificate,
      rejectUnauthorized: false,
      ALPNProtocols: ['istio'],
    });
    let text = '';
    socket.on('secureConnect', () => socket.write(GET));
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('error', () => {});
    socket.on('close', () => resolve(text));
  });
  if (received.startsWith('HTTP/1.1 200')) return 'ok';
  return untouched > 0 ? 'passed through' : 'refused';
}

async function apply(...policies: readonly { namespace: string; mode: string; selector?: string; ports?: string }[]) {
  const text = policies
    .map(
      ({ namespace, mode, selector = '', ports: portLevel = '' }, i) =>
        `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: p${i}, namespace: ${namespace} }
spec: { mtls: { mode: ${mode} }${selector}${portLevel} }`,
    )
    .join('\n---\n');
  const { applied } = await mesh.client.call('applyResources', { files: [{ name: 'mtls.yaml', text }] });
  expect(applied).toBe(true);
}

const FOO = ', selector: { matchLabels: { app: foo } }';
const port9000 = (mode: string): string => `, portLevelMtls: { "9000": { mode: ${mode} } }`;

describe('B-090: what a callee takes, by mode and port (8000 is declared http, 9000 tcp)', () => {
  it.each<[mode: string, on9000: string | null, outcomes: readonly (Outcome | null)[]]>([
    ['STRICT', null, ['refused', 'ok', null, null]],
    ['PERMISSIVE', null, ['ok', 'ok', null, null]],
    ['DISABLE', null, ['ok', 'refused', null, null]],
    ['DISABLE', 'STRICT', ['ok', 'refused', 'refused', 'ok']],
    ['STRICT', 'DISABLE', ['refused', 'ok', 'ok', 'passed through']],
    ['DISABLE', 'PERMISSIVE', ['ok', 'refused', 'ok', 'ok']],
  ])('%s, 9000 %s', async (mode, on9000, expected) => {
    await apply({ namespace: 'foo', mode, selector: FOO, ports: on9000 === null ? '' : port9000(on9000) });
    const asked = [
      () => plaintext('foo', 8000),
      () => mutual('foo', 8000),
      () => plaintext('foo', 9000),
      () => mutual('foo', 9000),
    ];
    const outcomes: (Outcome | null)[] = [];
    for (const [i, ask] of asked.entries()) outcomes.push(expected[i] === null ? null : await ask());
    expect(outcomes).toEqual(expected);
  });
});

describe('B-091: callers with and without a sidecar', () => {
  const all = async (): Promise<Record<string, Outcome>> => ({
    'mesh→foo': await mutual('foo', 8000),
    'mesh→bar': await mutual('bar', 8000),
    'legacy→foo': await plaintext('foo', 8000),
    'legacy→bar': await plaintext('bar', 8000),
  });
  const OK = { 'mesh→foo': 'ok', 'mesh→bar': 'ok', 'legacy→foo': 'ok', 'legacy→bar': 'ok' };

  it('all reach all by default; STRICT for the mesh or a namespace keeps plaintext out there', async () => {
    expect(await all()).toEqual(OK);
    await apply({ namespace: 'istio-system', mode: 'STRICT' });
    expect(await all()).toEqual({ ...OK, 'legacy→foo': 'refused', 'legacy→bar': 'refused' });
    await mesh.client.call('deleteResources', { all: true });
    await apply({ namespace: 'foo', mode: 'STRICT' });
    expect(await all()).toEqual({ ...OK, 'legacy→foo': 'refused' });
  });

  it('a port that is switched off is reached in plaintext again', async () => {
    await apply(
      { namespace: 'istio-system', mode: 'STRICT' },
      {
        namespace: 'bar',
        mode: 'STRICT',
        selector: ', selector: { matchLabels: { app: bar } }',
        ports: ', portLevelMtls: { "8000": { mode: DISABLE } }',
      },
    );
    expect([await plaintext('bar', 8000), await plaintext('foo', 8000)]).toEqual(['ok', 'refused']);
  });
});
