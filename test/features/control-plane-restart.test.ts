import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

let mesh: TestMesh;
/** What the app at the end really executed, by request. */
const executions = new Map<string, number>();

beforeAll(async () => {
  mesh = await startMesh(appOf([workload('web'), workload('ledger')]), {
    web: async (request, response) => {
      const answer = await fetch(`${await ledgerUrl()}${request.url}`, {
        method: request.method ?? 'GET',
        ...(request.method === 'POST' ? { body: 'x' } : {}),
      });
      response.writeHead(answer.status).end(await answer.text());
    },
    ledger: (request, response) => {
      const id = request.url ?? '';
      executions.set(id, (executions.get(id) ?? 0) + 1);
      request.resume().on('end', () => response.end('noted'));
    },
  });
  url = await mesh.outboundUrl('web', 'ledger');
});
afterAll(() => mesh.close());

let url = '';
const ledgerUrl = async () => url;

describe('a control plane that is restarted five times', () => {
  it('costs no request, repeats none, and versions never go back', async () => {
    const statuses: number[] = [];
    const versions: number[] = [];
    let next = 0;
    let done = false;
    const ask = async (): Promise<void> => {
      while (!done || next < 600) {
        const n = next++;
        const response = await fetch(`${mesh.gatewayUrl}/n/${n}`, n % 3 === 0 ? { method: 'POST', body: 'x' } : {});
        await response.text();
        statuses.push(response.status);
      }
    };
    const asking = Promise.all(Array.from({ length: 4 }, ask));
    for (let restart = 0; restart < 5; restart++) {
      await mesh.restartControlPlane();
      await until(
        async () => (await mesh.client.call('status', {}).catch(() => null))?.ready === true,
        'all sidecars are back',
      );
      versions.push((await mesh.client.call('status', {})).version);
    }
    done = true;
    await asking;
    expect(statuses.filter((status) => status !== 200)).toEqual([]);
    expect(statuses).toHaveLength(next);
    expect([...executions.values()].filter((count) => count !== 1)).toEqual([]);
    expect(executions.size).toBe(next);
    expect([...versions].sort((a, b) => a - b)).toEqual(versions);
  });

  it('still has its faults, features and authority', async () => {
    await mesh.client.call('addFault', { to: 'ledger', abort: 418, path: '/teapot', name: 'tea' });
    await mesh.client.call('setFeatures', { retries: false });
    const { pem } = await mesh.client.call('trustBundle', {});
    await mesh.restartControlPlane();
    await until(async () => (await mesh.client.call('status', {})).ready, 'all sidecars are back');
    expect((await mesh.client.call('faults', {})).map(({ name }) => name)).toEqual(['tea']);
    expect((await mesh.client.call('features', {})).retries).toBe(false);
    expect((await mesh.client.call('trustBundle', {})).pem).toBe(pem);
    expect((await fetch(`${mesh.gatewayUrl}/teapot`)).status).toBe(418);
  });
});
