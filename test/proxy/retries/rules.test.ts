import { type ClientRequest, createServer, request as httpRequest, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CLUSTER_DEFAULTS, type TrafficPolicy } from '../../../src/model/cluster.js';
import type { Exchange } from '../../../src/model/exchange.js';
import type { RetryPolicy } from '../../../src/model/route.js';
import { chances } from '../../support/chance.js';
import { freePort } from '../../support/mesh.js';
import { forward, host, type OneSidecar, on, oneSidecar, rule, to } from '../../support/one-sidecar.js';
import { until } from '../../support/until.js';

/** The rules R1 to R15 of safe retries, by what a ledger at the back end says was executed. R8 and R11: test/features/propagation. */
const POLICY: RetryPolicy = {
  attempts: 2,
  retryOn: ['5xx', 'reset', 'connect-failure'],
  retriableStatusCodes: [],
  retriableHeaders: [],
  perTryTimeoutMs: null,
  backoffBaseMs: 1,
  backoffMaxMs: 2,
  retryAfterMaxMs: null,
  avoidTriedHosts: true,
  nonIdempotent: 'never',
  origin: 'the test',
};

/** What the back end does once it has executed a request. */
const DOES = {
  ok: (response) => response.end('ok'),
  sick: (response) => response.writeHead(503).end(),
  busy: (response) => response.writeHead(429).end(),
  reset: (response) => response.socket?.resetAndDestroy(),
  /** Dies within the head of its answer. */
  halfHead: (response) => response.socket?.end('HTTP/1.1 200 O'),
  /** Dies within its body. */
  halfBody: (response) => {
    response.writeHead(200, { 'content-length': 10 }).write('half');
    setImmediate(() => response.socket?.destroy());
  },
  hang: () => {},
} satisfies Record<string, (response: ServerResponse) => unknown>;
type Does = keyof typeof DOES;

/** How often each path was executed, the last body of each, and which requests' connections were closed on the server. */
const executed = new Map<string, number>();
const bodies = new Map<string, string>();
let closed = 0;
let server: Server;
let one: OneSidecar;

beforeEach(async () => {
  executed.clear();
  bodies.clear();
  closed = 0;
  server = createServer((request, response) => {
    let body = '';
    request.setEncoding('latin1').on('data', (text: string) => {
      body += text;
    });
    response.on('close', () => closed++);
    request.on('end', () => {
      const path = request.url ?? '';
      const n = executed.get(path) ?? 0;
      executed.set(path, n + 1);
      bodies.set(path, body);
      const script = (path.split('/')[2] ?? 'ok').split(',') as Does[];
      DOES[script[Math.min(n, script.length - 1)] as Does](response as never);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
});
afterEach(() => {
  one.close();
  server.closeAllConnections();
  server.close();
});

async function sidecar(
  policy: Partial<RetryPolicy> | null,
  {
    timeoutMs = null,
    dead = 0,
    traffic = {},
  }: { timeoutMs?: number | null; dead?: number; traffic?: Partial<TrafficPolicy> } = {},
): Promise<void> {
  const { port } = server.address() as AddressInfo;
  const deadPorts = await Promise.all(Array.from({ length: dead }, () => freePort()));
  one = await oneSidecar({}, { external: { app: [...deadPorts, port] }, traffic });
  const retry = policy === null ? null : { ...POLICY, ...policy };
  one.apply([host([rule('all', on('/'), forward([to('app')], { retry, timeoutMs }))])]);
}

let next = 0;

/** Asks for a path of its own; tells the status (0 = the answer broke off) and what was executed for it. */
async function ask(
  does: string,
  { method = 'GET', headers = {}, body = '', abort = null as ((request: ClientRequest) => void) | null } = {},
): Promise<{ status: number; times: number; path: string }> {
  const path = `/${next++}/${does}`;
  const status = await new Promise<number>((resolve) => {
    const request = httpRequest(
      { host: '127.0.0.1', port: one.port, path, method, agent: false, headers: { host: 'reviews', ...headers } },
      (response) => {
        response.on('error', () => resolve(0)).on('aborted', () => resolve(0));
        response.resume().on('end', () => resolve(response.complete ? (response.statusCode ?? 0) : 0));
      },
    );
    request.on('error', () => resolve(0));
    request.end(body);
    abort?.(request);
  });
  return { status, times: executed.get(path) ?? 0, path };
}

async function record(path: string): Promise<Exchange> {
  const all: Exchange[] = [];
  await until(() => {
    all.push(...one.records());
    return all.some(({ request }) => request.path === path);
  }, `the record of ${path}`);
  return all.find(({ request }) => request.path === path) as Exchange;
}

describe('retries', () => {
  it('R1 are off unless asked for', async () => {
    await sidecar(null);
    expect(await ask('sick,ok')).toMatchObject({ status: 503, times: 1 });
  });

  it.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE'])('R2 repeat %s', async (method) => {
    await sidecar({});
    expect(await ask('reset,sick,ok', { method })).toMatchObject({ status: 200, times: 3 });
  });

  it.each(['POST', 'PATCH'])('R2 do not repeat %s, unless its key or its route allows it', async (method) => {
    const headers = { 'idempotency-key': 'k' };
    await sidecar({});
    expect(await ask('sick,ok', { method, headers })).toMatchObject({ status: 503, times: 1 });
    expect(await ask('reset,ok', { method })).toMatchObject({ status: 503, times: 1 });
    one.close();
    await sidecar({ nonIdempotent: 'with-key' });
    expect(await ask('sick,ok', { method })).toMatchObject({ status: 503, times: 1 });
    expect(await ask('sick,ok', { method, headers })).toMatchObject({ status: 200, times: 2 });
    one.close();
    await sidecar({ nonIdempotent: 'always' });
    expect(await ask('sick,ok', { method })).toMatchObject({ status: 200, times: 2 });
  });

  it('R3 R12 send anything elsewhere that never left', async () => {
    await sidecar({ attempts: 3 }, { dead: 2 });
    for (let i = 0; i < 10; i++)
      expect(await ask('ok', { method: 'POST', body: 'pay' })).toMatchObject({ status: 200, times: 1 });
  });

  it('R4 keep a body of 64 KiB and send it again whole, and none that is longer', async () => {
    await sidecar({});
    const kept = await ask('sick,ok', { method: 'PUT', body: 'x'.repeat(65_536) });
    expect(kept).toMatchObject({ status: 200, times: 2 });
    expect(bodies.get(kept.path)).toBe('x'.repeat(65_536));
    const long = await ask('sick,ok', { method: 'PUT', body: 'x'.repeat(65_537) });
    expect(long).toMatchObject({ status: 503, times: 1 });
    expect((await record(long.path)).attempts[0]?.next).toBe('not retried: the body is larger than 64 KiB');
  });

  it('R4 send a chunked body again whole', async () => {
    await sidecar({});
    const headers = { 'transfer-encoding': 'chunked' };
    const { path, ...outcome } = await ask('sick,reset,ok', { method: 'PUT', headers, body: 'in chunks' });
    expect(outcome).toEqual({ status: 200, times: 3 });
    expect(bodies.get(path)).toBe('in chunks');
  });

  it('R5 R6 do not come once an answer has begun', async () => {
    await sidecar({});
    expect(await ask('halfBody,ok')).toMatchObject({ status: 0, times: 1 });
    // Less than a head has told nobody anything; it is a reset, as Envoy counts it.
    expect(await ask('halfHead,ok')).toMatchObject({ status: 200, times: 2 });
    expect(await ask('halfHead,ok', { method: 'POST' })).toMatchObject({ status: 502, times: 1 });
  });

  it('R7 end with the route’s time, pauses included', async () => {
    await sidecar({ attempts: 10, perTryTimeoutMs: 100, retryOn: ['5xx'] }, { timeoutMs: 250 });
    const { status, times, path } = await ask('hang');
    expect(status).toBe(504);
    expect(times).toBeLessThanOrEqual(3);
    expect((await record(path)).failure).toBe('request_timeout');
  });

  it('R10 stay within the budget of their cluster', async () => {
    const retryBudget = { kind: 'rate', percent: 20, minimumPerSecond: 0.1, windowMs: 10_000 } as const;
    await sidecar({}, { traffic: { ...CLUSTER_DEFAULTS, retryBudget } });
    let all = 0;
    for (let i = 0; i < 50; i++) all += (await ask('sick')).times;
    expect(all).toBeGreaterThan(50);
    expect(all).toBeLessThanOrEqual(50 * 1.2 + 1);
  });

  it('R13 leave no try behind', async () => {
    await sidecar({ attempts: 1, perTryTimeoutMs: 500 });
    expect(await ask('hang,ok')).toMatchObject({ status: 200, times: 2 });
    await until(() => closed === 2, 'the try that lost is closed');
  });

  it('R14 end when the caller leaves', async () => {
    await sidecar({ attempts: 5, backoffBaseMs: 60_000, backoffMaxMs: 60_000 });
    const { path } = await ask('sick,ok', {
      abort: (request) =>
        void until(() => executed.size > 0 && closed > 0, 'the first try').then(() => request.destroy()),
    });
    expect((await record(path)).failure).toBe('client_gone');
    expect(executed.get(path)).toBe(1);
  });

  it('R15 do not press who turns requests away', async () => {
    await sidecar({});
    expect(await ask('busy,ok')).toMatchObject({ status: 429, times: 1 });
  });
});

describe('whatever a back end does', () => {
  it('what is not idempotent is executed at most once, and what is once per try and for a lost race', async () => {
    await sidecar({ perTryTimeoutMs: 60 });
    const asked = [];
    for (const { seed, chance } of chances(150)) {
      const script = Array.from({ length: 3 }, () => chance.of(Object.keys(DOES) as Does[]));
      const method = chance.of(['GET', 'PUT', 'POST', 'PATCH', 'DELETE', 'HEAD'] as const);
      const body = method === 'GET' || method === 'HEAD' ? '' : chance.of(['', 'x', 'x'.repeat(70_000)]);
      // Without it Node.js writes the body of a DELETE as if it were the next request.
      const headers = body === '' ? {} : { 'content-length': String(body.length) };
      asked.push(
        ask(script.join(','), { method, body, headers }).then(({ times, status }) => {
          const most = method === 'POST' || method === 'PATCH' || body.length > 65_536 ? 1 : 4;
          if (times > most || (status > 0 && status < 300 && times === 0))
            throw new Error(`TEST_SEED=${seed}: ${method} ${script}: executed ${times} times, answered ${status}`);
        }),
      );
    }
    await Promise.all(asked);
    const again = [...executed.values()].filter((times) => times > 1).length;
    expect(again, 'requests that were repeated').toBeGreaterThan(0);
  });
});
