import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, createServer as createTcpServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/model/exchange.js';
import { appOf, workload } from '../support/apps.js';
import { freePort, startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

const TCP = [{ port: 7000, protocol: 'tcp' }] as const;
/** `reviews` is half in the mesh: v1 has a sidecar, v2 has none. `legacy` stands outside, and so does the store `cache`. */
const APP = appOf([
  workload('web-v1'),
  workload('reviews-v1'),
  workload('reviews-v2', { meshed: false }),
  workload('legacy', { meshed: false }),
  workload('cache', { meshed: false, ports: TCP }),
]);

let mesh: TestMesh;
let cache: Server;
const seen: IncomingMessage['headers'][] = [];

beforeAll(async () => {
  const answer = (name: string) => (request: IncomingMessage, response: ServerResponse) => {
    seen.push(request.headers);
    response.end(name);
  };
  const names = APP.workloads.map(({ name }) => name);
  cache = createTcpServer((socket) => socket.on('error', () => {}).end('PONG'));
  mesh = await startMesh(APP, {
    ...Object.fromEntries(names.map((name) => [name, answer(name)])),
    cache: cache as never,
  });
});
afterAll(() => mesh.close());

async function ask(path: string, service = 'reviews'): Promise<{ status: number; body: string }> {
  const response = await fetch(`${await mesh.outboundUrl('web-v1', service)}${path}`);
  return { status: response.status, body: await response.text() };
}

async function recordOf(path: string, direction: Exchange['reporter']['direction'] = 'outbound'): Promise<Exchange> {
  let found: Exchange | undefined;
  await until(async () => {
    const all = await mesh.client.call('exchanges', { direction, limit: 500 });
    found = all.findLast(({ request }) => request.path === path);
    return found !== undefined;
  }, `the record of ${path}`);
  return found as Exchange;
}

describe('a workload outside the mesh', () => {
  it('is called in plaintext, while others of its service keep mutual TLS', async () => {
    for (let n = 0; n < 40; n++) expect((await ask(`/mixed/${n}`)).status).toBe(200);
    await recordOf('/mixed/39');
    const records = await mesh.client.call('exchanges', { direction: 'outbound', to: 'reviews' });
    const secured = records.map(({ destination, security }) => `${destination.workload} ${security.mode}`);
    expect([...new Set(secured)].sort()).toEqual(['reviews-v1 mtls', 'reviews-v2 plain']);
  });

  it('is told nothing that only sidecars understand', async () => {
    seen.length = 0;
    await ask('/', 'legacy');
    expect(Object.keys(seen[0] ?? {}).filter((name) => name.startsWith('x-mesh'))).toEqual([]);
    expect(seen[0]).toMatchObject({ 'x-envoy-attempt-count': '1' });
  });

  it('is reached over TCP as it is', async () => {
    const port = Number(new URL(await mesh.outboundUrl('web-v1', 'cache')).port);
    const got = await new Promise((resolve) => {
      let text = '';
      connect(port, '127.0.0.1')
        .setEncoding('utf8')
        .on('data', (part: string) => {
          text += part;
        })
        .on('close', () => resolve(text));
    });
    expect(got).toBe('PONG');
  });

  it('is shown without sidecar, identity and configuration, and waits for none of them', async () => {
    const { ready } = await mesh.client.call('status', {});
    expect(ready).toBe(true);
    const views = await mesh.client.call('workloads', {});
    expect(views.find(({ name }) => name === 'legacy')).toMatchObject({
      role: 'none',
      sidecar: 'none',
      spiffeId: '',
      appReady: true,
      certificate: null,
    });
    expect(Object.keys((await mesh.client.call('snapshot', {})).configs).sort()).toEqual([
      'gateway',
      'reviews-v1',
      'web-v1',
    ]);
  });

  it('dials one instance of a service on loopback: past balancing, and through the sidecar of the one it calls', async () => {
    const views = await mesh.client.call('workloads', {});
    const direct = views.find(({ name }) => name === 'legacy')?.listenPorts['out:reviews:9080'];
    const response = await fetch(`http://127.0.0.1:${direct}/from-outside`);
    expect([response.status, await response.text()]).toEqual([200, 'reviews-v1']);
    const record = await recordOf('/from-outside', 'inbound');
    expect(record).toMatchObject({ source: { principal: '' }, security: { mode: 'plain' } });
  });

  it('is refused where mutual TLS is demanded', async () => {
    await mesh.client.call('setFeatures', { mtls: 'strict' });
    const views = await mesh.client.call('workloads', {});
    const direct = views.find(({ name }) => name === 'legacy')?.listenPorts['out:reviews:9080'];
    await expect(fetch(`http://127.0.0.1:${direct}/`)).rejects.toThrow();
    // The other way nothing changes: it demands nothing.
    expect(await ask('/', 'legacy')).toEqual({ status: 200, body: 'legacy' });
    await mesh.client.call('setFeatures', { mtls: 'permissive' });
  });

  it('is called no more from when it is reported as gone', async () => {
    const report = { workload: 'legacy', address: '127.0.0.1', ports: { 9080: await freePort() } };
    await mesh.client.call('reportEndpoint', { ...report, ready: true });
    await until(async () => (await mesh.client.call('status', {})).ready, 'the new place is known');
    expect((await ask('/gone', 'legacy')).status).toBe(503);
    expect((await recordOf('/gone')).flags).toContain('UF');
    await mesh.client.call('reportEndpoint', { ...report, ready: false });
    let n = 0;
    await until(async () => {
      expect((await ask(`/away/${++n}`, 'legacy')).status).toBe(503);
      return (await recordOf(`/away/${n}`)).flags.includes('UH');
    }, 'nobody is there, and that is known');
  });

  it('gets no identity, and cannot be broken where it has no sidecar', async () => {
    await expect(mesh.client.call('mintJoinTokens', { workloads: ['legacy'] })).rejects.toThrow('unknown workload');
    await expect(mesh.client.call('addFault', { to: 'legacy', abort: 503 })).rejects.toThrow('outside the mesh');
    const { name } = await mesh.client.call('addFault', { to: 'reviews-v2', connection: 'refused' });
    await mesh.client.call('removeFault', { name });
    await expect(
      mesh.client.call('reportEndpoint', { workload: 'web-v1', address: '10.0.0.1', ports: {}, ready: true }),
    ).rejects.toThrow('no workload outside the mesh');
  });

  it('is remembered by a control plane that comes back', async () => {
    const server = createServer((_, response) => response.end('back')).listen(0, '127.0.0.1');
    await until(() => server.listening, 'it listens');
    const { port } = server.address() as AddressInfo;
    const report = { workload: 'legacy', address: '127.0.0.1', ports: { 9080: port } };
    expect(await mesh.client.call('probeEndpoint', report)).toEqual({ accepts: true });
    await mesh.client.call('reportEndpoint', { ...report, ready: true });
    await mesh.restartControlPlane();
    await until(async () => (await mesh.client.call('status', {})).ready, 'ready again');
    expect((await ask('/', 'legacy')).body).toBe('back');
    server.close();
    server.closeAllConnections();
  });
});
