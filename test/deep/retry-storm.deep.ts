import { Agent, request } from 'node:http';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { systemClock } from '../../src/platform/clock.js';
import { appOf, workload } from '../support/apps.js';
import { startMesh, type TestMesh } from '../support/mesh.js';

/**
 * A chain of three calls (web → front → middle → bottom), retries with a budget of 20 % and ten per second at each, only
 * the first proxy retries; 200 requests per second for a while, open loop. STORM_SECONDS says for how long.
 */
const RPS = 200;
const SECONDS = Number(process.env['STORM_SECONDS'] ?? 60);
/** Calls per second at the bottom: a fifth more than requests, and ten. That no window exceeds it is a property of the budget. */
const MOST = 1.2 * RPS + 10;

let mesh: TestMesh;
let failing = 0;
let calls = 0;
let drawn = 0;
const urls = new Map<string, string>();
const agent = new Agent({ keepAlive: true, maxSockets: 256 });

interface Outcome {
  readonly status: number;
  readonly ms: number;
}

function ask(url: string, headers: Record<string, string> = {}): Promise<Outcome> {
  const from = systemClock.monotonic();
  return new Promise((resolve) => {
    const end = (status: number) => resolve({ status, ms: systemClock.monotonic() - from });
    const asked = request(url, { agent, headers }, (response) =>
      response.resume().on('end', () => end(response.statusCode ?? 0)),
    );
    asked.on('error', () => end(0)).end();
  });
}

/** So many requests per second, whatever becomes of them. */
async function load(seconds: number): Promise<Outcome[]> {
  const url = urls.get('web front') as string;
  const outcomes: Promise<Outcome>[] = [];
  const from = systemClock.monotonic();
  while (outcomes.length < RPS * seconds) {
    const due = Math.min(RPS * seconds, ((systemClock.monotonic() - from) / 1000) * RPS);
    while (outcomes.length < due) outcomes.push(ask(url));
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return Promise.all(outcomes);
}

const share = (outcomes: readonly Outcome[]) =>
  outcomes.filter(({ status }) => status === 200).length / outcomes.length;
const p99 = (outcomes: readonly Outcome[]) =>
  outcomes.map(({ ms }) => ms).sort((a, b) => a - b)[Math.floor(outcomes.length * 0.99)] as number;

beforeAll(async () => {
  const policy = {
    retries: { attempts: 2, retryOn: ['5xx'], perTryTimeoutMs: null },
    traffic: { retryBudget: { kind: 'rate', percent: 20, minimumPerSecond: 10, windowMs: 10_000 } as const },
  };
  const relay =
    (way: string) =>
    ({ headers }: { headers: Record<string, unknown> }, response: { writeHead(status: number): { end(): void } }) =>
      void ask(urls.get(way) as string, { traceparent: String(headers['traceparent']) }).then(({ status }) =>
        response.writeHead(status === 0 ? 502 : status).end(),
      );
  mesh = await startMesh(
    appOf(
      [workload('web'), workload('front'), workload('middle'), workload('bottom')],
      { front: policy, middle: policy, bottom: policy },
      { deadline: true, retries: true },
    ),
    {
      web: (_, response) => response.end(),
      front: relay('front middle') as never,
      middle: relay('middle bottom') as never,
      bottom: (_, response) => {
        calls++;
        // Every so many, evenly: chance would only widen the bounds.
        drawn += failing;
        const fails = drawn >= 1;
        if (fails) drawn -= 1;
        response.writeHead(fails ? 503 : 200).end();
      },
    },
  );
  for (const [from, to] of [['web', 'front'] as const, ['front', 'middle'] as const, ['middle', 'bottom'] as const])
    urls.set(`${from} ${to}`, await mesh.outboundUrl(from, to));
  await load(3);
});
afterAll(() => mesh.close());
beforeEach(() => {
  drawn = 0;
});
afterEach(() => {
  failing = 0;
});

describe('a retry storm does not come', () => {
  it.each([
    [1, 0],
    [0.5, 0.6],
    [0.1, 0.985],
  ])('with %d of the bottom failing', async (failed, succeed) => {
    const before = p99(await load(5));
    calls = 0;
    failing = failed;
    const outcomes = await load(SECONDS);
    const perSecond = calls / SECONDS;
    failing = 0;
    await load(5);
    const after = p99(await load(5));
    console.log(
      `${failed * 100} % failing for ${SECONDS} s: ${perSecond.toFixed(0)} calls/s at the bottom (of ${MOST}), ` +
        `${(share(outcomes) * 100).toFixed(1)} % succeed; p99 ${before.toFixed(1)} ms before, ${after.toFixed(1)} ms after`,
    );
    expect(perSecond).toBeLessThanOrEqual(MOST * 1.02);
    expect(share(outcomes)).toBeGreaterThanOrEqual(succeed);
  });
});
