import type { ServerResponse } from 'node:http';
import { connect, createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import { startMesh, type TestMesh } from '../../support/mesh.js';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';
import { portOf } from '../../support/raw.js';
import { until } from '../../support/until.js';

let bed: PolicyBed;
/** Requests that the app has not answered. */
const held: ServerResponse[] = [];

beforeAll(async () => {
  bed = await policyBed('istio', {
    reviews: (request, response) => {
      if (request.url === '/held') held.push(response);
      else response.end('ok');
    },
    other: (_, response) => response.end(),
  });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const rule = (settings: string): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews, trafficPolicy: ${settings} }`;
const ONE = '{ connectionPool: { http: { http2MaxRequests: 1 } } }';

/** What another caller is answered while the app is busy with a request of web's. */
async function whileBusy(): Promise<number> {
  const first = bed.call('reviews', '/held');
  await until(() => held.length === 1, 'the app has the first request');
  const { status } = await bed.call('reviews', '/', { from: 'other' });
  held.pop()?.end('ok');
  expect((await first).status).toBe(200);
  return status;
}

describe('a connection pool', () => {
  it('holds at the callee for all callers together', async () => {
    expect(await whileBusy()).toBe(200);
    await bed.apply(rule(ONE));
    expect(await whileBusy()).toBe(503);
    await until(async () => {
      const records = await bed.mesh.client.call('exchanges', { to: 'reviews' });
      return records.some(({ reporter, failure }) => reporter.direction === 'inbound' && failure === 'overflow');
    }, 'the callee tells of it');
    await bed.reset();
    expect(await whileBusy()).toBe(200);
  });

  it('of another port does not', async () => {
    await bed.apply(rule(`{ portLevelSettings: [ { port: { number: 9081 }, ${ONE.slice(1, -1)} } ] }`));
    expect(await whileBusy()).toBe(200);
    await bed.apply(rule(`{ portLevelSettings: [ { port: { number: 9080 }, ${ONE.slice(1, -1)} } ] }`));
    expect(await whileBusy()).toBe(503);
  });

  it('is told by diff', async () => {
    const files = [{ name: 'p.yaml', text: rule(ONE) }];
    const { differences } = await bed.mesh.client.call('diffResources', { files });
    expect(differences.find(({ about }) => about === 'callers of reviews')?.text).toBe(
      'on port 9080 all of them together: without limit → maxRequests 1',
    );
  });
});

describe('a connection pool of a TCP service', () => {
  it('holds at the callee for all callers together', async () => {
    const database = createServer((socket) => socket.on('error', () => {}).write('hello'));
    const mesh = await startMesh(
      appOf([workload('web'), workload('other'), workload('db', { ports: [{ port: 3306, protocol: 'tcp' }] })]),
      { db: database as never },
    );
    const text = rule('{ connectionPool: { tcp: { maxConnections: 1 } } }').replaceAll('reviews', 'db');
    await mesh.client.call('applyResources', { files: [{ name: 'p.yaml', text }] });
    expect(await open(mesh, 'web')).toBe('hello');
    expect(await open(mesh, 'other')).toBe('closed');
    await mesh.client.call('deleteResources', { all: true });
    expect(await open(mesh, 'other')).toBe('hello');
    await mesh.close();
  });
});

/** What a caller hears first of the database; it stays connected until the mesh is gone. */
async function open(mesh: TestMesh, from: string): Promise<string> {
  const socket = connect(portOf(await mesh.outboundUrl(from, 'db')), '127.0.0.1');
  return new Promise((resolve) => {
    socket.on('error', () => {});
    socket.once('data', (data) => resolve(data.toString()));
    socket.once('close', () => resolve('closed'));
  });
}
