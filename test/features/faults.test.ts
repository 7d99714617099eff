import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/model/exchange.js';
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

/** The answer with its body as bytes; a body that breaks off is an error. */
async function body(path: string): Promise<{ status: number; text: string | null; ms: number }> {
  const began = performance.now();
  const response = await fetch(`${await mesh.outboundUrl('web', 'ratings')}${path}`);
  const text = await response.text().catch(() => null);
  return { status: response.status, text, ms: performance.now() - began };
}

async function recordOf(path: string) {
  let found: Exchange | undefined;
  await until(async () => {
    const all = await mesh.client.call('exchanges', { direction: 'outbound', to: 'ratings', limit: 1_000 });
    found = all.findLast(({ request }) => request.path === path);
    return found !== undefined;
  }, `the record of ${path}`);
  return found as Exchange;
}

describe('faults of answers', () => {
  it('cut the body: the caller sees a break, not a short answer', async () => {
    await mesh.client.call('addFault', { to: 'ratings', truncateAfter: 2 });
    expect(await body('/cut')).toMatchObject({ status: 200, text: null });
    expect((await recordOf('/cut')).failure).toBe('truncated_response');
  });

  it('change one byte, always the same one for the same request', async () => {
    await mesh.client.call('addFault', { to: 'ratings', corrupt: true });
    const { status, text } = await body('/corrupt');
    expect(status).toBe(200);
    expect(text).toHaveLength('stars'.length);
    expect([...(text ?? '')].filter((letter, i) => letter !== 'stars'[i]).length).toBe(1);
  });

  it('let it come slowly', async () => {
    await mesh.client.call('addFault', { to: 'ratings', bytesPerSecond: 20 });
    const { text, ms } = await body('/slow');
    expect(text).toBe('stars');
    // Two bytes at once, then two and one: the last comes after two pauses of 100 ms.
    expect(ms).toBeGreaterThan(150);
  });

  it('end it late', async () => {
    await mesh.client.call('addFault', { to: 'ratings', slowCloseMs: 200 });
    const { text, ms } = await body('/late');
    expect(text).toBe('stars');
    expect(ms).toBeGreaterThan(190);
  });
});

describe('a black hole', () => {
  it('never answers; whoever gives up first ends it', async () => {
    await mesh.client.call('addFault', { to: 'ratings', blackhole: true });
    const signal = AbortSignal.timeout(150);
    const asked = fetch(`${await mesh.outboundUrl('web', 'ratings')}/hole`, { signal });
    await expect(asked).rejects.toThrow();
    expect(reached).toBe(0);
    expect((await recordOf('/hole')).failure).toBe('client_gone');
  });
});

describe('faults of connections', () => {
  it.each([
    ['refused', 'connect_failure', 'UF'],
    ['tls-failure', 'tls_failure', 'UF'],
    ['expired-certificate', 'tls_failure', 'UF'],
    ['dns-failure', 'dns_failure', 'DF'],
  ] as const)('%s: no connection comes about, and nobody blames the app', async (connection, failure, flag) => {
    // A connection that is open already must not save the request.
    await ask('/warm');
    reached = 0;
    await mesh.client.call('addFault', { to: 'ratings', connection });
    expect(await ask(`/${connection}`)).toBe(503);
    expect(reached).toBe(0);
    const record = await recordOf(`/${connection}`);
    expect(record.failure).toBe(failure);
    expect(record.flags).toContain(flag);
    const { blame } = await mesh.client.call('explain', { id: record.requestId });
    expect(blame).toBe('injected');
    await mesh.client.call('clearFaults', {});
    expect(await ask('/well-again')).toBe(200);
  });

  it('hit only the callers that are meant', async () => {
    await mesh.client.call('addFault', { to: 'ratings', connection: 'refused', from: 'gateway' });
    expect(await ask('/not-meant')).toBe(200);
    await mesh.client.call('clearFaults', {});
    await mesh.client.call('addFault', { to: 'ratings', connection: 'refused', from: 'web' });
    expect(await ask('/meant')).toBe(503);
  });
});

describe('how often', () => {
  it('every Nth request', async () => {
    // 418 is in no retry policy here.
    await mesh.client.call('addFault', { to: 'ratings', abort: 418, every: 3 });
    const statuses: number[] = [];
    for (let i = 0; i < 9; i++) statuses.push(await ask(`/third/${i}`));
    expect(statuses.map((status) => (status === 418 ? 1 : 0))).toEqual([0, 0, 1, 0, 0, 1, 0, 0, 1]);
  });

  it('for a time', async () => {
    await mesh.client.call('addFault', { to: 'ratings', abort: 418, forMs: 400 });
    expect(await ask('/in-time')).toBe(418);
    await until(async () => (await ask('/after')) === 200, 'the fault is over');
    expect(await mesh.client.call('faults', {})).toHaveLength(1);
  });

  it('a fault that met nobody has no hits', async () => {
    await mesh.client.call('addFault', { to: 'ratings', abort: 500, path: '/never' });
    await ask('/other');
    expect((await mesh.client.call('faults', {}))[0]?.hits).toBe(0);
  });

  it('refuses what cannot be meant', async () => {
    const refused = (input: object) => mesh.client.call('addFault', { to: 'ratings', ...input });
    await expect(refused({})).rejects.toThrow('the fault does nothing');
    await expect(refused({ abort: 500, blackhole: true })).rejects.toThrow('either aborts, resets or never answers');
    await expect(refused({ connection: 'refused', delayMs: 5 })).rejects.toThrow('without a connection');
    await expect(refused({ reset: true, corrupt: true })).rejects.toThrow('leaves no answer');
  });
});
