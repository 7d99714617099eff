import { request as httpRequest } from 'node:http';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ACCRUAL_DEFAULTS, CLUSTER_DEFAULTS, OUTLIER_DEFAULTS } from '../../src/model/cluster.js';
import type { Exchange } from '../../src/model/exchange.js';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';
import { until } from '../support/until.js';

/** web calls services that each have one policy; what their apps answer is in `script`, by workload. */
let mesh: TestMesh;
const hits: string[] = [];
const script = new Map<string, (status: (code: number) => void) => void>();
const held: (() => void)[] = [];

const NAMES = ['pool', 'queue', 'budget', 'limited'];
const apps = ['ejects-v1', 'ejects-v2', 'probes-v1', 'sticky-v1', 'sticky-v2', 'sticky-v3', ...NAMES];

beforeAll(async () => {
  const { limits, balancing } = CLUSTER_DEFAULTS;
  mesh = await startMesh(
    appOf([workload('web'), ...apps.map((name) => workload(name))], {
      ejects: { traffic: { ejection: { ...OUTLIER_DEFAULTS, consecutive5xx: 3, maxEjectionPercent: 50 } } },
      probes: { traffic: { ejection: { ...ACCRUAL_DEFAULTS, maxFailures: 3, minPenaltyMs: 2_000, jitterRatio: 0 } } },
      pool: { traffic: { limits: { ...limits, maxRequests: 2 } } },
      queue: { traffic: { limits: { ...limits, maxConnections: 1, maxPendingRequests: 1 } } },
      budget: {
        retries: { attempts: 3, retryOn: ['5xx'], perTryTimeoutMs: null },
        traffic: { retryBudget: { kind: 'rate', percent: 0, minimumPerSecond: 0.2, windowMs: 10_000 } },
      },
      sticky: {
        traffic: { balancing: { ...balancing, algorithm: { kind: 'maglev', tableSize: 251 } } },
        routes: [
          {
            retries: null,
            from: [],
            route: {
              name: 'by user',
              match: { path: { kind: 'prefix', value: '/', ignoreCase: false }, methods: [], fields: [], query: [] },
              action: {
                kind: 'forward',
                clusters: [{ cluster: 'sticky', weight: 1, requestFields: null, responseFields: null }],
                rewrite: null,
                requestFields: null,
                cors: null,
                timeoutMs: null,
                retry: null,
                hash: [{ kind: 'header', name: 'end-user', terminal: false }],
                mirrors: [],
              },
              responseFields: null,
              fault: null,
            },
          },
        ],
      },
      limited: {
        rateLimits: [
          { name: 'three', match: null, per: 'workload', overrides: {}, burst: 3, tokens: 1, perMs: 600_000 },
        ],
      },
    }),
    {
      web: (_, response) => response.end(),
      ...Object.fromEntries(
        apps.map((name) => [
          name,
          (_: unknown, response: { writeHead(status: number): { end(text: string): void } }) => {
            hits.push(name);
            const answer = (code: number) => response.writeHead(code).end(name);
            const scripted = script.get(name);
            if (scripted === undefined) answer(200);
            else scripted(answer);
          },
        ]),
      ),
    },
  );
});
afterAll(() => mesh.close());
beforeEach(() => {
  hits.length = 0;
  script.clear();
  held.length = 0;
});

interface Got {
  readonly status: number;
  readonly headers: Headers | Record<string, unknown>;
  readonly body: string;
}

async function ask(service: string, path = '/', headers: Record<string, string> = {}): Promise<Got> {
  const url = new URL(path, await mesh.outboundUrl('web', service));
  return new Promise((resolve, reject) => {
    const request = httpRequest(url, { agent: false, headers }, (response) => {
      let body = '';
      response.setEncoding('utf8').on('data', (text: string) => {
        body += text;
      });
      response.on('end', () => resolve({ status: response.statusCode ?? 0, headers: response.headers, body }));
    });
    request.on('error', reject);
    request.end();
  });
}

async function recordsOf(service: string, path: string, n: number): Promise<Exchange[]> {
  let found: Exchange[] = [];
  await until(async () => {
    const all = await mesh.client.call('exchanges', { direction: 'outbound', to: service, limit: 500 });
    found = all.filter(({ request }) => request.path === path);
    return found.length >= n;
  }, `${n} records of ${path}`);
  return found;
}

const hold = (name: string): void => {
  script.set(name, (answer) => held.push(() => answer(200)));
};

describe('outlier detection', () => {
  it('puts an endpoint aside that fails, and tells so on the timeline', async () => {
    script.set('ejects-v1', (answer) => answer(503));
    await until(async () => {
      await ask('ejects');
      return (await mesh.client.call('timeline', {})).some(({ workload: name }) => name === 'ejects-v1');
    }, 'ejects-v1 is put aside');
    hits.length = 0;
    for (let i = 0; i < 20; i++) expect((await ask('ejects')).status).toBe(200);
    expect(new Set(hits)).toEqual(new Set(['ejects-v2']));
    const [incident] = await mesh.client.call('timeline', {});
    expect(incident).toMatchObject({ reporter: 'web', kind: 'ejected', service: 'ejects' });
    expect(incident?.text).toMatch(
      /^ejects-v1 \(.*\) was put aside for 30 s: 3 failures \(5xx or no answer\) in a row$/,
    );
  });
});

describe('failure accrual', () => {
  it('answers by itself while the breaker is open, and lets one request try', async () => {
    let status = 503;
    script.set('probes-v1', (answer) => answer(status));
    for (let i = 0; i < 3; i++) await ask('probes');
    const refused = await ask('probes', '/open');
    expect(refused).toMatchObject({ status: 503, body: 'no healthy upstream' });
    expect((await recordsOf('probes', '/open', 1))[0]?.flags).toEqual(['UH']);
    expect(hits).toEqual(['probes-v1', 'probes-v1', 'probes-v1']);
    status = 200;
    await until(async () => (await ask('probes', '/probe')).status === 200, 'the probe closes the breaker');
    let kinds: string[] = [];
    await until(async () => {
      const all = await mesh.client.call('timeline', {});
      kinds = all.filter(({ service }) => service === 'probes').map(({ kind }) => kind);
      return kinds.length === 3;
    }, 'the timeline of the breaker');
    expect(kinds).toEqual(['opened', 'probed', 'closed']);
  });
});

describe('the limit of requests', () => {
  it('turns away what is too much, with the overflow flag', async () => {
    hold('pool');
    const first = [ask('pool', '/pool'), ask('pool', '/pool')];
    await until(async () => held.length === 2, 'two are under way');
    const third = await ask('pool', '/overflow');
    expect(third.status).toBe(503);
    expect(third.body).toContain('overflow');
    expect((third.headers as Record<string, unknown>)['x-envoy-overloaded']).toBe('true');
    for (const release of held.splice(0)) release();
    expect((await Promise.all(first)).map(({ status }) => status)).toEqual([200, 200]);
    expect((await recordsOf('pool', '/overflow', 1))[0]).toMatchObject({ flags: ['UO'], failure: 'overflow' });
    expect(hits.length).toBe(2);
  });
});

describe('the limit of connections', () => {
  it('lets one wait for the connection, and turns the next away', async () => {
    hold('queue');
    const first = ask('queue', '/first');
    await until(async () => held.length === 1, 'the first is under way');
    // Whichever comes first gets in line, the other one is too much.
    const both = [ask('queue', '/second'), ask('queue', '/second')];
    expect(await Promise.race(both)).toMatchObject({ status: 503 });
    script.delete('queue');
    for (const release of held.splice(0)) release();
    expect((await first).status).toBe(200);
    expect((await Promise.all(both)).map(({ status }) => status).sort()).toEqual([200, 503]);
    const record = (await recordsOf('queue', '/second', 2)).find(({ response }) => response.status === 200);
    expect(record?.timings.queueMs).toBeGreaterThan(0);
    expect(record?.attempts[0]?.reusedConnection).toBe(true);
  });
});

describe('a retry budget', () => {
  it('keeps retries from multiplying the load; the caller gets the app’s answer, flag UO', async () => {
    script.set('budget', (answer) => answer(503));
    const statuses = [];
    for (let i = 0; i < 4; i++) statuses.push((await ask('budget', '/budget')).status);
    expect(statuses).toEqual([503, 503, 503, 503]);
    // 0.2 per second over ten seconds are two.
    expect(hits.length).toBe(4 + 2);
    const records = await recordsOf('budget', '/budget', 4);
    expect(records.at(-1)?.flags).toEqual(['UO']);
    expect(records.at(-1)?.attempts[0]?.next).toBe('not retried: the retries to budget are at their limit');
  });
});

describe('consistent hashing', () => {
  it('sends each user to the same endpoint, and users to different ones', async () => {
    const places = new Map<string, Set<string>>();
    for (let n = 0; n < 60; n++) {
      const user = `user ${n % 20}`;
      const { body } = await ask('sticky', '/', { 'end-user': user });
      places.set(user, (places.get(user) ?? new Set()).add(body));
    }
    for (const met of places.values()) expect(met.size).toBe(1);
    expect(new Set([...places.values()].flatMap((met) => [...met])).size).toBe(3);
  });
});

describe('a rate limit', () => {
  it('answers 429 at the callee when its bucket is empty, and says when to come again', async () => {
    const statuses = [];
    for (let i = 0; i < 5; i++) statuses.push((await ask('limited', '/limited')).status);
    expect(statuses).toEqual([200, 200, 200, 429, 429]);
    expect(hits).toEqual(['limited', 'limited', 'limited']);
    const refused = await ask('limited', '/limited');
    expect(refused.body).toBe('local_rate_limited');
    expect(refused.headers).toMatchObject({ 'x-ratelimit-limit': '3', 'x-ratelimit-remaining': '0' });
    expect(Number((refused.headers as Record<string, string>)['retry-after'])).toBeGreaterThan(0);
    let inbound: Exchange | undefined;
    await until(async () => {
      inbound = (await mesh.client.call('exchanges', { direction: 'inbound', to: 'limited', limit: 500 })).findLast(
        ({ response }) => response.status === 429,
      );
      return inbound !== undefined;
    }, 'the callee’s record');
    expect(inbound).toMatchObject({ flags: ['RL'], failure: 'rate_limited', details: 'local_rate_limited' });
  });
});
