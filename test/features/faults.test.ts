import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

let mesh: TestMesh;
let reached = 0;

beforeAll(async () => {
  mesh = await startMesh(
    appOf([workload('web'), workload('ratings')], {
      ratings: { retries: { attempts: 2, retryOn: ['5xx'], perTryTimeoutMs: null } },
    }),
    {
      web: (_, response) => response.end(),
      ratings: (_, response) => {
        reached++;
        response.end('stars');
      },
    },
    { seed: 7 },
  );
});
afterAll(() => mesh.close());
afterEach(async () => {
  await mesh.client.call('clearFaults', {});
  reached = 0;
});

const ask = async (path: string, headers: Record<string, string> = {}): Promise<number> => {
  const response = await fetch(`${await mesh.outboundUrl('web', 'ratings')}${path}`, { headers });
  await response.text();
  return response.status;
};

describe('faults at the callee', () => {
  it('abort before the app is asked, and count every hit', async () => {
    await mesh.client.call('addFault', { to: 'ratings', abort: 500 });
    expect(await ask('/abort')).toBe(500);
    expect(reached).toBe(0);
    // Three tries: the caller's retries meet the fault as they would meet a sick service.
    await until(async () => (await mesh.client.call('faults', {}))[0]?.hits === 3, '3 hits');
  });

  it('first N: the retries save the request', async () => {
    await mesh.client.call('addFault', { to: 'ratings', abort: 503, first: 2 });
    expect(await ask('/first')).toBe(200);
    expect(reached).toBe(1);
  });

  it('are drawn by percentage, anew for each try', async () => {
    await mesh.client.call('addFault', { to: 'ratings', abort: 503, percent: 50 });
    const statuses: number[] = [];
    for (let i = 0; i < 200; i++) statuses.push(await ask(`/half/${i}`));
    const failed = statuses.filter((status) => status === 503).length;
    // Without retries 100 would fail; with two, 1/8 of 200 = 25. 99.9 % of runs lie between 10 and 43.
    expect(failed).toBeGreaterThan(9);
    expect(failed).toBeLessThan(44);
  });

  it('reset the connection', async () => {
    await mesh.client.call('addFault', { to: 'ratings', reset: true });
    expect(await ask('/reset')).toBe(503);
    await until(
      async () =>
        (await mesh.client.call('exchanges', { direction: 'inbound', flag: 'FI' })).some(
          ({ failure }) => failure === 'fault_reset',
        ),
      'it is recorded',
    );
  });

  it('delay, and then let the request through', async () => {
    await mesh.client.call('addFault', { to: 'ratings', delayMs: 80, jitterMs: 20 });
    const started = performance.now();
    expect(await ask('/delay')).toBe(200);
    expect(performance.now() - started).toBeGreaterThanOrEqual(59);
  });

  it('only meet who they are meant for', async () => {
    await mesh.client.call('addFault', {
      to: 'ratings',
      abort: 418,
      from: 'web',
      path: '/sick',
      headers: { 'end-user': 'jason' },
    });
    expect(await ask('/sick/1')).toBe(200);
    expect(await ask('/well', { 'end-user': 'jason' })).toBe(200);
    expect(await ask('/sick/2', { 'end-user': 'jason' })).toBe(418);
    await mesh.client.call('clearFaults', {});
    await mesh.client.call('addFault', { to: 'ratings', abort: 418, from: 'gateway' });
    expect(await ask('/sick/3')).toBe(200);
  });

  it('can be switched off and on', async () => {
    const fault = await mesh.client.call('addFault', { to: 'ratings', abort: 418 });
    await mesh.client.call('updateFault', { name: fault.name, enabled: false });
    expect(await ask('/off')).toBe(200);
    await mesh.client.call('updateFault', { name: fault.name, enabled: true });
    expect(await ask('/on')).toBe(418);
  });

  it('are never blamed on the app', async () => {
    await mesh.client.call('addFault', { to: 'ratings', abort: 500 });
    await ask('/blame', { 'x-request-id': 'blame-1' });
    await until(
      async () =>
        mesh.client.call('trace', { id: 'blame-1' }).then(
          ({ exchanges }) => exchanges.length === 4,
          () => false,
        ),
      'four records',
    );
    const { blame, verdict } = await mesh.client.call('explain', { id: 'blame-1' });
    expect(blame).toBe('injected');
    expect(verdict).toBe('An injected fault, not the app: a fault that you injected made ratings fail.');
  });

  it('are refused with what exists when they name nobody', async () => {
    await expect(mesh.client.call('addFault', { to: 'rating', abort: 500 })).rejects.toThrow(
      'unknown workload or service "rating"; did you mean ratings?',
    );
    await expect(mesh.client.call('addFault', { to: 'ratings' })).rejects.toThrow('the fault does nothing');
    await expect(mesh.client.call('addFault', { to: 'ratings', abort: 99 })).rejects.toThrow(/abort/);
    await expect(mesh.client.call('removeFault', { name: 'f9' })).rejects.toThrow('there is no fault named "f9"');
  });
});
