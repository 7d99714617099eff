import { createServer as createNetServer } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Exchange } from '../../src/model/exchange.js';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

/** web calls three services: `flaky` has a policy for 5xx, `plain` has Istio's default, `slow` has a timeout. */
let mesh: TestMesh;
const calls: string[] = [];
let script: number[] = [];

beforeAll(async () => {
  mesh = await startMesh(
    appOf([workload('web'), workload('flaky'), workload('plain'), workload('slow'), workload('stuck')], {
      flaky: { retries: { attempts: 2, retryOn: ['5xx', 'connect-failure'], perTryTimeoutMs: null } },
      slow: { timeoutMs: 100 },
      stuck: { retries: { attempts: 1, retryOn: ['reset'], perTryTimeoutMs: 500 } },
    }),
    {
      web: (_, response) => response.end(),
      flaky: (request, response) => {
        calls.push(`${request.method} ${request.headers['x-envoy-attempt-count'] ?? '-'}`);
        response.writeHead(script.shift() ?? 200).end('flaky');
      },
      plain: (request, response) => {
        calls.push(`${request.method}`);
        response.writeHead(script.shift() ?? 200).end();
      },
      slow: () => {},
      // A script of 0 is no answer at all.
      stuck: (_, response) => {
        calls.push('stuck');
        const status = script.shift() ?? 200;
        if (status > 0) response.writeHead(status).end();
      },
    },
  );
});
afterAll(() => mesh.close());
beforeEach(() => {
  calls.length = 0;
  script = [];
});

async function call(
  service: string,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; record: Exchange }> {
  const response = await fetch(`${await mesh.outboundUrl('web', service)}${path}`, init);
  await response.text();
  let record: Exchange | undefined;
  await until(async () => {
    record = (await mesh.client.call('exchanges', { direction: 'outbound', to: service, limit: 500 })).findLast(
      ({ request }) => request.path === path,
    );
    return record !== undefined;
  }, `the record of ${path}`);
  return { status: response.status, record: record as Exchange };
}

describe('retries', () => {
  it('save a request whose policy covers 5xx, and say why each try followed', async () => {
    script = [503, 503];
    const { status, record } = await call('flaky', '/saved');
    expect(status).toBe(200);
    expect(record.attempts.map((attempt) => attempt.status)).toEqual([503, 503, 200]);
    expect(record.attempts[0]?.next).toBe('retried: status 503 meets 5xx of x-mesh.services.flaky.retries');
    expect(record.flags).toEqual([]);
  });

  it('end with URX when the tries are used up', async () => {
    script = [503, 503, 503];
    const { status, record } = await call('flaky', '/exhausted');
    expect(status).toBe(503);
    expect(record.flags).toEqual(['URX']);
    expect(record.attempts[2]?.next).toBe('not retried again: x-mesh.services.flaky.retries allows 2 retries');
  });

  it("do not cover a 503 by Istio's default policy", async () => {
    script = [503];
    const { status, record } = await call('plain', '/default');
    expect(status).toBe(503);
    expect(calls).toHaveLength(1);
    expect(record.attempts[0]?.next).toMatch(/^not retried: status 503 is not in Istio's default retry policy/);
  });

  it('never repeat a POST that may have been executed', async () => {
    script = [503];
    const { status, record } = await call('flaky', '/post', { method: 'POST', body: 'x' });
    expect(status).toBe(503);
    expect(calls).toHaveLength(1);
    expect(record.attempts[0]?.next).toBe('not retried: POST may have been executed, and is not idempotent');
  });

  it('send the body of a PUT again', async () => {
    script = [503];
    const { status } = await call('flaky', '/put', { method: 'PUT', body: 'again' });
    expect(status).toBe(200);
    expect(calls).toHaveLength(2);
  });

  it('stop when the feature is switched off, and come back', async () => {
    await mesh.client.call('setFeatures', { retries: false });
    script = [503];
    expect((await call('flaky', '/off')).status).toBe(503);
    await mesh.client.call('setFeatures', { retries: true });
    script = [503];
    expect((await call('flaky', '/on')).status).toBe(200);
  });
});

describe('timeouts', () => {
  it('answer 504 UT when the route’s time is over', async () => {
    const { status, record } = await call('slow', '/late');
    expect(status).toBe(504);
    expect(record.flags).toEqual(['UT']);
    expect(record.details).toBe('response_timeout');
    expect(record.durationMs).toBeGreaterThanOrEqual(99);
  });
});

describe('the timeout of a try', () => {
  it('ends a try that hangs, and the next one saves the request', async () => {
    script = [0];
    const { status, record } = await call('stuck', '/hangs');
    expect(status).toBe(200);
    expect(calls).toHaveLength(2);
    expect(record.attempts[0]).toMatchObject({ failure: 'per_try_timeout', status: 0 });
    expect(record.attempts[0]?.durationMs).toBeGreaterThanOrEqual(499);
    expect(record.attempts[0]?.next).toMatch(/^retried: .* meets reset of x-mesh\.services\.stuck\.retries$/);
  });

  it('is told as such when the last try hangs too', async () => {
    script = [0, 0];
    const { status, record } = await call('stuck', '/hangs-on');
    expect(status).toBe(504);
    expect(record).toMatchObject({ failure: 'per_try_timeout', flags: ['URX', 'UT'] });
  });
});

describe('a service that is not there', () => {
  it('is retried on connection failures by default, and blamed on nobody’s app', async () => {
    const gone = createNetServer();
    await new Promise<void>((resolve) => gone.listen(0, '127.0.0.1', resolve));
    gone.close();
    const own = await startMesh(appOf([workload('web'), workload('dead')]), {
      web: (_, response) => response.end(),
      dead: (_, response) => response.end(),
    });
    try {
      const url = await own.outboundUrl('web', 'dead');
      await own.sidecars.get('dead')?.drain(0);
      const response = await fetch(`${url}/dead`);
      expect(response.status).toBe(503);
      await response.text();
      let record: Exchange | undefined;
      await until(async () => {
        record = (await own.client.call('exchanges', { direction: 'outbound', to: 'dead' })).at(-1);
        return record !== undefined;
      }, 'the record');
      expect(record?.flags[0]).toMatch(/URX|UH/);
    } finally {
      await own.close();
    }
  });
});
