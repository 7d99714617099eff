import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LinkerdBed, linkerdBed, policy } from './bed.js';

let bed: LinkerdBed;

beforeAll(async () => {
  bed = await linkerdBed({
    reviews: (_, response) => response.end(),
    batch: (_, response) => response.end(),
  });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const server = (port = 9080): string =>
  policy(
    'Server',
    'reviews',
    `{ podSelector: { matchLabels: { app: reviews } }, port: ${port}, accessPolicy: all-unauthenticated }`,
    'v1beta3',
  );
const limit = (spec: string): string =>
  policy(
    'HTTPLocalRateLimitPolicy',
    'l',
    `{ targetRef: { group: policy.linkerd.io, kind: Server, name: reviews }, ${spec} }`,
  );

interface Through {
  readonly count: number;
  /** From the first request to the last answer. */
  readonly seconds: number;
}

/** How many of some requests at once get through; a bucket fills while they are on their way. */
async function through(requests: number, from = 'web'): Promise<Through> {
  const began = performance.now();
  const answers = await Promise.all(Array.from({ length: requests }, () => bed.call('reviews', '/', { from })));
  expect(answers.every(({ status }) => status === 200 || status === 429)).toBe(true);
  const count = answers.filter(({ status }) => status === 200).length;
  return { count, seconds: (performance.now() - began) / 1_000 };
}

/** The full bucket gets through, and what flows in meanwhile. */
function expectLimit({ count, seconds }: Through, perSecond: number): void {
  expect(count).toBeGreaterThanOrEqual(perSecond);
  expect(count).toBeLessThanOrEqual(Math.ceil(perSecond * (1 + seconds)) + 1);
}

describe('HTTPLocalRateLimitPolicy', () => {
  it('total: limits what all callers may together', async () => {
    await bed.apply(server(), limit('total: { requestsPerSecond: 5 }'));
    const [web, batch] = await Promise.all([through(40, 'web'), through(40, 'batch')]);
    expectLimit({ count: web.count + batch.count, seconds: Math.max(web.seconds, batch.seconds) }, 5);
  });

  it('identity: limits what each caller may', async () => {
    await bed.apply(server(), limit('identity: { requestsPerSecond: 5 }'));
    for (const each of await Promise.all([through(40, 'web'), through(40, 'batch')])) expectLimit(each, 5);
  });

  it('overrides: an account has a limit of its own', async () => {
    const override = '{ requestsPerSecond: 15, clientRefs: [ { kind: ServiceAccount, name: batch } ] }';
    await bed.apply(server(), limit(`identity: { requestsPerSecond: 2 }, overrides: [ ${override} ]`));
    expectLimit(await through(50, 'batch'), 15);
    expectLimit(await through(30, 'web'), 2);
  });

  it('says nothing of another port than its Server does', async () => {
    await bed.apply(server(9999), limit('total: { requestsPerSecond: 1 }'));
    expect((await through(10)).count).toBe(10);
  });
});
