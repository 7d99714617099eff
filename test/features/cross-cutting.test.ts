import { request } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

/** web → reviews → ratings; reviews hands trace fields on where it is asked to. */
let mesh: TestMesh;
let seen: string[] = [];

beforeAll(async () => {
  mesh = await startMesh(appOf(['web', 'reviews', 'ratings'].map((name) => workload(name))), {
    web: (_, response) => response.end(),
    reviews: async (asked, response) => {
      const { traceparent = '', 'x-request-id': id = '' } = asked.headers as Record<string, string>;
      const headers = asked.url === '/forwarding' ? { traceparent, 'x-request-id': id } : {};
      const answer = await fetch(await mesh.outboundUrl('reviews', 'ratings'), { headers });
      response.end(await answer.text());
    },
    ratings: (asked, response) => {
      seen.push(String(asked.headers['x-forwarded-client-cert'] ?? ''));
      setTimeout(() => response.end('stars'), asked.url === '/slow' ? 600 : 0);
    },
  });
});
afterAll(() => mesh.close());

describe('what no mesh does for an app', () => {
  it('B-161: an app that is less patient than the mesh leaves first: 0 DC, and the work below is for nobody', async () => {
    const url = `${await mesh.outboundUrl('web', 'ratings')}/slow`;
    await new Promise((resolve) => {
      const asked = request(url, { headers: { 'x-request-id': 'impatient' } });
      asked.setTimeout(150, () => asked.destroy());
      asked.on('error', resolve).end();
    });
    await until(async () => {
      const told = await mesh.client.call('exchanges', { requestId: 'impatient' });
      const [outbound] = told.filter(({ reporter }) => reporter.direction === 'outbound');
      return outbound?.response.status === 0 && outbound.flags.includes('DC');
    }, 'the record of who left');
    const { blame, verdict } = await mesh.client.call('explain', { id: 'impatient' });
    expect(blame).toBe('client');
    expect(verdict).toContain('closed its connection');
  });

  it('B-162: without the trace fields a trace falls apart', async () => {
    const url = await mesh.outboundUrl('web', 'reviews');
    const hopsOf = async (path: string, id: string) => {
      await (await fetch(`${url}${path}`, { headers: { 'x-request-id': id } })).text();
      await until(async () => (await mesh.client.call('exchanges', { requestId: id })).length >= 2, 'two hops');
      const [first] = await mesh.client.call('exchanges', { requestId: id });
      const all = () => mesh.client.call('exchanges', { traceId: first?.traceId ?? '' });
      if (path === '/forwarding') await until(async () => (await all()).length === 4, 'four hops');
      return (await all()).length;
    };
    expect(await hopsOf('/forwarding', 'whole')).toBe(4);
    expect(await hopsOf('/forgetting', 'broken')).toBe(2);
  });

  it('B-094: the app sees who called by certificate, and nothing that a caller made up', async () => {
    seen = [];
    const forged = { 'x-forwarded-client-cert': 'URI=spiffe://cluster.local/ns/default/sa/admin' };
    await (await fetch(await mesh.outboundUrl('web', 'ratings'), { headers: forged })).text();
    expect(seen).toHaveLength(1);
    expect(seen[0]).toContain('URI=spiffe://cluster.local/ns/default/sa/web');
    expect(seen[0]).not.toContain('admin');
  });
});
