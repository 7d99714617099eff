import { afterEach, describe, expect, it } from 'vitest';
import type { ServiceSettings } from '../../src/model/app.js';
import type { Exchange } from '../../src/model/exchange.js';
import type { SidecarLimits } from '../../src/model/limits.js';
import type { Propagation } from '../../src/model/propagation.js';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

/** web calls mid, whose app calls low for it; `ring` calls itself. What low does is said by each test. */
let mesh: TestMesh | undefined;
const calls = { mid: 0, low: 0, ring: 0 };
let passesOn = true;
let low: (answer: (status: number) => void) => void = (answer) => answer(200);

afterEach(async () => {
  await mesh?.close();
  mesh = undefined;
  Object.assign(calls, { mid: 0, low: 0, ring: 0 });
  passesOn = true;
});

const RETRIES = { retries: { attempts: 2, retryOn: ['5xx'], perTryTimeoutMs: null } };

async function start(
  settings: Record<string, Partial<ServiceSettings>>,
  propagation?: Propagation,
  limits: Partial<SidecarLimits> = {},
): Promise<TestMesh> {
  const urls = new Map<string, string>();
  const ask = async (from: string, to: string, traceparent: string | undefined): Promise<number> => {
    const headers: Record<string, string> = passesOn && traceparent !== undefined ? { traceparent } : {};
    const url = `${urls.get(`${from} ${to}`)}/`;
    return fetch(url, { headers }).then(
      ({ status }) => status,
      () => 500, // the mesh went down meanwhile
    );
  };
  const started = await startMesh(
    { ...appOf([workload('web'), workload('mid'), workload('low'), workload('ring')], settings, propagation), limits },
    {
      web: (_, response) => response.end(),
      mid: async ({ headers }, response) => {
        calls.mid++;
        const status = await ask('mid', 'low', headers['traceparent'] as string);
        response.writeHead(status).end();
      },
      low: (_, response) => {
        calls.low++;
        low((status) => response.writeHead(status).end());
      },
      ring: async ({ headers }, response) => {
        calls.ring++;
        const status = await ask('ring', 'ring', headers['traceparent'] as string);
        response.writeHead(status).end();
      },
    },
  );
  mesh = started;
  for (const [from, to] of [['mid', 'low'] as const, ['ring', 'ring'] as const])
    urls.set(`${from} ${to}`, await started.outboundUrl(from, to));
  return started;
}

/** Asks `service` as web does; tells the status and what was recorded by the sidecar of `reporter` when it called. */
async function ask(service: string): Promise<number> {
  const response = await fetch(`${await (mesh as TestMesh).outboundUrl('web', service)}/`);
  await response.text();
  return response.status;
}

async function recordOf(reporter: string): Promise<Exchange> {
  let found: Exchange | undefined;
  await until(async () => {
    const all = await (mesh as TestMesh).client.call('exchanges', {});
    found = all.find(
      (exchange) => exchange.reporter.workload === reporter && exchange.reporter.direction === 'outbound',
    );
    return found !== undefined;
  }, `a record of ${reporter}`);
  return found as Exchange;
}

describe('the deadline of a call', () => {
  const patience = { mid: { timeoutMs: 400 } };
  const slowly = (answer: (status: number) => void) => void setTimeout(() => answer(200), 1_500);

  it('holds for the calls that are made for it, where that is asked for (R8)', async () => {
    low = slowly;
    await start(patience, { deadline: true, retries: false });
    expect(await ask('mid')).toBe(504);
    const record = await recordOf('mid');
    expect(record.failure).toBe('request_timeout');
    expect(record.durationMs).toBeLessThan(1_000);
    expect(record.decisions.map(({ text }) => text).join()).toMatch(/whoever waits for it waits \d+ ms more/);
  });

  it('does not without that: as in every mesh', async () => {
    low = slowly;
    await start(patience);
    expect(await ask('mid')).toBe(504);
    const record = await recordOf('mid');
    expect(record.response.status).toBe(200);
    expect(record.durationMs).toBeGreaterThan(1_000);
  });
});

describe('retries on a way of several calls', () => {
  it('multiply where every proxy retries', async () => {
    low = (answer) => answer(503);
    await start({ mid: RETRIES, low: RETRIES });
    expect(await ask('mid')).toBe(503);
    expect(calls).toMatchObject({ mid: 3, low: 9 });
  });

  it('are the first proxy’s alone where that is asked for (R11)', async () => {
    low = (answer) => answer(503);
    await start({ mid: RETRIES, low: RETRIES }, { deadline: false, retries: true });
    expect(await ask('mid')).toBe(503);
    expect(calls).toMatchObject({ mid: 3, low: 3 });
    expect((await recordOf('mid')).attempts[0]?.next).toContain('a proxy nearer to the first caller does that');
  });

  it('come where the app tells nobody what its calls are for', async () => {
    low = (answer) => answer(503);
    passesOn = false;
    await start({ mid: RETRIES, low: RETRIES }, { deadline: true, retries: true });
    await ask('mid');
    expect(calls).toMatchObject({ mid: 3, low: 9 });
  });
});

describe('a loop', () => {
  it('ends with the eleventh call, and is called what it is (B12)', async () => {
    await start({ ring: { retries: { attempts: 0, retryOn: [], perTryTimeoutMs: null } } });
    expect(await ask('ring')).toBe(508);
    expect(calls.ring).toBe(10);
    await until(async () => {
      const all = await (mesh as TestMesh).client.call('exchanges', {});
      return all.filter(({ failure }) => failure === 'loop_detected').length === 1;
    }, 'the record of the loop');
  });

  it('ends where limits.hops says', async () => {
    const once = { ring: { retries: { attempts: 0, retryOn: [], perTryTimeoutMs: null } } };
    await start(once, undefined, { hops: 3 });
    expect(await ask('ring')).toBe(508);
    expect(calls.ring).toBe(3);
  });
});
