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

/** How many of some requests at once get through; a bucket fills while they are on their way, by one or two. */
async function through(requests: number, from = 'web'): Promise<number> {
  const answers = await Promise.all(Array.from({ length: requests }, () => bed.call('reviews', '/', { from })));
  expect(answers.every(({ status }) => status === 200 || status === 429)).toBe(true);
  return answers.filter(({ status }) => status === 200).length;
}

describe('HTTPLocalRateLimitPolicy', () => {
  it('total: limits what all callers may together', async () => {
    await bed.apply(server(), limit('total: { requestsPerSecond: 5 }'));
    const [web, batch] = await Promise.all([through(20, 'web'), through(20, 'batch')]);
    expect(web + batch).toBeGreaterThanOrEqual(5);
    expect(web + batch).toBeLessThan(12);
  });

  it('identity: limits what each caller may', async () => {
    await bed.apply(server(), limit('identity: { requestsPerSecond: 5 }'));
    const counts = await Promise.all([through(20, 'web'), through(20, 'batch')]);
    for (const count of counts) {
      expect(count).toBeGreaterThanOrEqual(5);
      expect(count).toBeLessThan(10);
    }
  });

  it('overrides: an account has a limit of its own', async () => {
    const override = '{ requestsPerSecond: 15, clientRefs: [ { kind: ServiceAccount, name: batch } ] }';
    await bed.apply(server(), limit(`identity: { requestsPerSecond: 2 }, overrides: [ ${override} ]`));
    expect(await through(30, 'batch')).toBeGreaterThanOrEqual(15);
    expect(await through(30, 'web')).toBeLessThan(10);
  });

  it('says nothing of another port than its Server does', async () => {
    await bed.apply(server(9999), limit('total: { requestsPerSecond: 1 }'));
    expect(await through(10)).toBe(10);
  });
});
