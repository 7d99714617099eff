import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CLUSTER_DEFAULTS } from '../../src/model/cluster.js';
import type { Exchange } from '../../src/model/exchange.js';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

let mesh: TestMesh;
beforeAll(async () => {
  const limits = { ...CLUSTER_DEFAULTS.limits, maxConnections: 1 };
  mesh = await startMesh(appOf([workload('web'), workload('slow')], { slow: { traffic: { limits } } }), {
    web: (_, response) => response.end(),
    slow: (_, response) => {
      setTimeout(() => {
        response.write('head, ');
        setTimeout(() => response.end('body'), 50);
      }, 50);
    },
  });
});
afterAll(() => mesh.close());

async function recordsOf(n: number): Promise<Exchange[]> {
  let found: Exchange[] = [];
  await until(async () => {
    found = [...(await mesh.client.call('exchanges', { direction: 'outbound', to: 'slow', limit: 500 }))];
    return found.length >= n;
  }, `${n} records`);
  return found;
}

describe('where the time of a request went', () => {
  it('is told apart, and adds up', async () => {
    const url = `${await mesh.outboundUrl('web', 'slow')}/`;
    await Promise.all([fetch(url), fetch(url)].map(async (asked) => (await asked).text()));
    const [first, second] = (await recordsOf(2)).sort((a, b) => a.durationMs - b.durationMs) as [Exchange, Exchange];
    // 50 each, but for how late a busy machine looks at them.
    expect(first.timings.upstreamMs).toBeGreaterThan(25);
    expect(first.timings.bodyMs).toBeGreaterThan(25);
    expect(first.timings.connectMs).toBeGreaterThan(0);
    expect(first.timings.handshakeMs).toBeGreaterThan(0);
    // The second waited in line for the one connection.
    expect(second.timings.queueMs).toBeGreaterThan(25);
    expect(second.timings.connectMs).toBe(0);
    for (const { timings, durationMs } of [first, second]) {
      const sum = Object.values(timings).reduce((total, ms) => total + ms, 0);
      expect(Math.abs(sum - durationMs)).toBeLessThan(0.02);
      expect(timings.ownMs).toBeGreaterThan(0);
      expect(timings.ownMs).toBeLessThan(durationMs / 2);
    }
  });

  it('is told by explain, the largest share first', async () => {
    const [record] = await recordsOf(1);
    const { steps } = await mesh.client.call('explain', { id: record?.requestId ?? '' });
    expect(steps.map(({ text }) => text).find((text) => text.startsWith('of '))).toMatch(
      /^of \d+ ms: \d+ ms .*waiting for the answer/,
    );
  });

  it('is counted as CPU by the sidecar itself', async () => {
    const url = `${await mesh.outboundUrl('web', 'slow')}/`;
    await (await fetch(url)).text();
    await until(
      async () => {
        const view = (await mesh.client.call('workloads', {})).find(({ name }) => name === 'web');
        return (view?.cpuMicrosPerRequest ?? 0) > 0;
      },
      'the CPU per request',
      20_000,
    );
  });
});
