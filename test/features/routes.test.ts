import type { IncomingMessage, ServerResponse } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readApp } from '../../src/compose/read-app.js';
import type { Exchange } from '../../src/model/exchange.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { raw } from '../support/raw.js';
import { until } from '../support/until.js';

/** As a user writes it: two versions of reviews, and what x-mesh can say of their routes. */
const COMPOSE = `
services:
  web: { image: i, expose: [9080] }
  reviews-v1: { image: i, expose: [9080], labels: { app: reviews, version: v1 } }
  reviews-v2: { image: i, expose: [9080], labels: { app: reviews, version: v2 } }
  audit: { image: i, expose: [9080] }
x-mesh:
  services:
    reviews:
      retries: { attempts: 1, retryOn: [5xx] }
      routes:
        - name: jason
          match: { headers: { end-user: jason } }
          to: [{ service: reviews, version: v2 }]
        - name: old paths
          match: { prefix: /old/ }
          redirect: { prefix: /new/, status: 308 }
        - name: robots
          match: { path: /robots.txt, method: GET }
          respond: { status: 200, body: "nobody" }
        - name: rewritten
          match: { segments: /api }
          rewrite: { segments: / }
          headers: { request: { set: { x-was: api } }, response: { add: { x-by: mesh } } }
          to: [{ service: reviews, version: v1 }]
        - name: copied
          match: { prefix: /copied }
          to: [{ service: reviews, version: v1 }]
          mirrors: [{ service: audit }]
        - name: slow
          match: { prefix: /slow }
          fault: { delay: { fixedDelay: 60ms, percentage: 100 } }
          timeout: 5s
          to: [{ service: reviews, version: v1 }]
        - name: broken
          match: { query: { broken: "yes" } }
          fault: { abort: { httpStatus: 418, percentage: 100 } }
          to: [{ service: reviews, version: v1 }]
        - name: late
          match: { prefix: /late }
          timeout: 400ms
          to: [{ service: reviews, version: v1 }]
        - name: missing
          match: { prefix: /missing }
          to: [{ service: reviews, version: v9 }]
        - name: split
          match: { prefix: /split }
          to: [{ service: reviews, version: v1, weight: 3 }, { service: reviews, version: v2, weight: 1 }]
`;

let mesh: TestMesh;
const hits: { workload: string; method: string; url: string; headers: IncomingMessage['headers']; body: string }[] = [];
let status = 200;

beforeAll(async () => {
  const read = readApp({ text: COMPOSE, file: 'compose.yaml', environment: {} });
  if (!read.ok) throw new Error(JSON.stringify(read));
  const { app } = read;
  const answer = (workload: string) => (request: IncomingMessage, response: ServerResponse) => {
    let body = '';
    request.setEncoding('utf8').on('data', (text: string) => {
      body += text;
    });
    request.on('end', () => {
      hits.push({ workload, method: request.method ?? '', url: request.url ?? '', headers: request.headers, body });
      if (request.url?.startsWith('/late') !== true) response.writeHead(status).end(workload);
    });
  };
  const names = app.workloads.map(({ name }) => name);
  mesh = await startMesh(app, Object.fromEntries(names.map((name) => [name, answer(name)])));
});
afterAll(() => mesh.close());
beforeEach(() => {
  hits.length = 0;
  status = 200;
});

async function ask(path: string, init: RequestInit = {}): Promise<{ status: number; body: string; headers: Headers }> {
  const response = await fetch(`${await mesh.outboundUrl('web', 'reviews')}${path}`, { redirect: 'manual', ...init });
  return { status: response.status, body: await response.text(), headers: response.headers };
}

async function recordOf(path: string): Promise<Exchange> {
  let found: Exchange | undefined;
  await until(async () => {
    const all = await mesh.client.call('exchanges', { direction: 'outbound', from: 'web', limit: 500 });
    found = all.findLast(({ request }) => request.path.startsWith(path));
    return found !== undefined;
  }, `the record of ${path}`);
  return found as Exchange;
}

describe('routes of x-mesh', () => {
  it('choose by field, and are named in the record', async () => {
    expect((await ask('/jason', { headers: { 'end-user': 'jason' } })).body).toBe('reviews-v2');
    const [decision] = (await recordOf('/jason')).decisions;
    expect(decision).toMatchObject({ kind: 'route', rule: 'jason', text: 'route jason sent it to reviews v2' });
  });

  it('redirect and answer by themselves', async () => {
    const redirect = await ask('/old/page?q=1');
    expect(redirect.status).toBe(308);
    expect(redirect.headers.get('location')).toMatch(/\/new\/page\?q=1$/);
    expect(await ask('/robots.txt')).toMatchObject({ status: 200, body: 'nobody' });
    expect((await ask('/robots.txt', { method: 'HEAD' })).status).toBe(404);
    expect(hits).toEqual([]);
  });

  it('rewrite paths and change fields on both ways; the app learns the original path', async () => {
    const { headers } = await ask('/api/v1?q=1');
    expect(headers.get('x-by')).toBe('mesh');
    expect(hits[0]).toMatchObject({ workload: 'reviews-v1', url: '/v1?q=1' });
    expect(hits[0]?.headers).toMatchObject({ 'x-was': 'api', 'x-envoy-original-path': '/api/v1?q=1' });
  });

  it('split by weight', async () => {
    for (let n = 0; n < 200; n++) await ask(`/split/${n}`);
    const first = hits.filter(({ workload }) => workload === 'reviews-v1').length;
    // 150 expected; 99.99 % of runs lie within 3.9 deviations of 6.1.
    expect(Math.abs(first - 150)).toBeLessThan(25);
  });

  it('without a match are a 404, and to a version that does not exist a 503', async () => {
    expect((await ask('/nowhere')).status).toBe(404);
    expect((await recordOf('/nowhere')).flags).toEqual(['NR']);
    expect((await ask('/missing')).status).toBe(503);
    expect((await recordOf('/missing')).flags).toEqual(['NC']);
  });
});

describe('the Host of a request on loopback', () => {
  const asking = async (host: string, target = '/jason') => {
    const url = new URL(await mesh.outboundUrl('web', 'reviews'));
    const head = `GET ${target} HTTP/1.1\r\nhost: ${host.replace('PORT', url.port)}\r\nend-user: jason\r\nconnection: close\r\n\r\n`;
    const { received } = await raw(Number(url.port), head);
    return { status: Number(received.split(' ')[1]), host: hits[0]?.headers.host };
  };

  it.each(['127.0.0.1:PORT', 'localhost:PORT', '[::1]:PORT', 'LocalHost:PORT'])(
    '%s means the service',
    async (host) => {
      expect(await asking(host)).toEqual({ status: 200, host: 'reviews:9080' });
    },
  );

  it.each(['reviews', 'reviews:9080', 'reviews.default.svc.cluster.local:9080'])('%s stays', async (host) => {
    expect(await asking(host)).toEqual({ status: 200, host });
  });

  it('names another service: that one is asked', async () => {
    expect(await asking('audit:9080')).toEqual({ status: 200, host: 'audit:9080' });
    expect(hits.map(({ workload }) => workload)).toEqual(['audit']);
  });

  it.each(['127.0.0.1', '127.0.0.1:1', 'localhost', 'example.com'])('%s is nobody', async (host) => {
    expect((await asking(host)).status).toBe(404);
    expect(hits).toEqual([]);
  });
});

describe('mirrors', () => {
  it('get a copy, body and all; what they answer reaches nobody', async () => {
    const { status: got, body } = await ask('/copied', { method: 'POST', body: 'the same', headers: { 'x-a': 'b' } });
    expect([got, body]).toEqual([200, 'reviews-v1']);
    await until(async () => hits.length === 2, 'the copy');
    const copy = hits.find(({ workload }) => workload === 'audit');
    expect(copy).toMatchObject({ method: 'POST', url: '/copied', body: 'the same' });
    expect(copy?.headers).toMatchObject({ 'x-a': 'b', host: expect.stringMatching(/^reviews/) });
    expect((await recordOf('/copied')).decisions).toContainEqual({
      kind: 'mirror',
      text: 'a copy went to audit',
      rule: 'copied',
      source: null,
    });
  });
});

describe('faults of a route', () => {
  it('delay before the timeout begins, and abort before any try: no retry meets them', async () => {
    const began = performance.now();
    expect((await ask('/slow')).status).toBe(200);
    expect(performance.now() - began).toBeGreaterThan(59);
    expect((await recordOf('/slow')).flags).toEqual(['DI']);
    expect(await ask('/any?broken=yes')).toMatchObject({ status: 418, body: 'fault filter abort' });
    const record = await recordOf('/any');
    expect(record).toMatchObject({ flags: ['FI'], attempts: [], failure: 'fault_abort' });
    expect((await mesh.client.call('explain', { id: record.requestId })).blame).toBe('injected');
  });
});

describe('timeouts of a route', () => {
  it('end the request, and tell whose policy it was', async () => {
    expect((await ask('/late')).status).toBe(504);
    const record = await recordOf('/late');
    expect(record.flags).toEqual(['UT']);
    expect((await mesh.client.call('explain', { id: record.requestId })).blame).toBe('caller-policy');
  });

  it('are told to the app', async () => {
    await ask('/late');
    expect(hits[0]?.headers['x-envoy-expected-rq-timeout-ms']).toBe('400');
  });
});

describe('retries of the service', () => {
  it('hold for its routes, and tell the app which try it is', async () => {
    status = 503;
    await ask('/split/retried');
    expect(hits.map(({ headers }) => headers['x-envoy-attempt-count'])).toEqual(['1', '2']);
  });
});
