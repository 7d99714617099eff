import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

let mesh: TestMesh;
/** What the app really executed, by request. */
const executions = new Map<string, number>();

beforeAll(async () => {
  mesh = await startMesh(
    appOf([workload('web'), workload('ledger')], {
      // The most generous policy there is: it must not repeat what may not be repeated.
      ledger: { retries: { attempts: 5, retryOn: ['5xx', 'reset', 'connect-failure'], perTryTimeoutMs: null } },
    }),
    {
      web: (_, response) => response.end(),
      ledger: (request, response) => {
        const id = `${request.method} ${request.url}`;
        executions.set(id, (executions.get(id) ?? 0) + 1);
        // A moment later, so that the sidecar dies with requests in flight.
        request.resume().on('end', () => setImmediate(() => response.end('noted')));
      },
    },
  );
});
afterAll(() => mesh.close());

describe('a sidecar that dies under load', () => {
  it('loses what was in flight, and no POST is executed twice', async () => {
    const url = await mesh.outboundUrl('web', 'ledger');
    const statuses: number[] = [];
    let next = 0;
    let dead = false;
    const post = async (): Promise<void> => {
      while (!dead) {
        const response = await fetch(`${url}/${next++}`, { method: 'POST', body: 'pay' });
        await response.text();
        statuses.push(response.status);
      }
    };
    const posting = Promise.all(Array.from({ length: 16 }, post));
    await until(() => statuses.length > 200, 'load');
    await mesh.sidecars.get('ledger')?.drain(0);
    await until(() => statuses.includes(503), 'callers notice');
    dead = true;
    await posting;
    expect([...executions].filter(([, count]) => count > 1)).toEqual([]);
    expect(new Set(statuses)).toEqual(new Set([200, 503]));
    // What was answered 200 was executed.
    expect(executions.size).toBeGreaterThanOrEqual(statuses.filter((status) => status === 200).length);
  });
});
