import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

let mesh: TestMesh;

beforeAll(async () => {
  mesh = await startMesh(appOf([workload('web')]), { web: (_, response) => response.end('ok') }, { leafMs: 2_000 });
});
afterAll(() => mesh.close());

describe('certificates', () => {
  it('B-105: are renewed at half-life with a new serial, and cost no request', async () => {
    const statuses = new Set<number>();
    const serials = new Set<string>();
    await until(async () => {
      const response = await fetch(mesh.gatewayUrl, { headers: { connection: 'close' } });
      await response.text();
      statuses.add(response.status);
      const [identity] = (await mesh.client.call('identities', {})).filter((view) => view.workload === 'web');
      serials.add(identity?.serial ?? '');
      return (identity?.issued ?? 0) >= 4;
    }, 'three renewals');
    expect([...statuses]).toEqual([200]);
    expect(serials.size).toBeGreaterThanOrEqual(3);
  });
});
