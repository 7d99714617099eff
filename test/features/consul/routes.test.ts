import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';
import { entry } from './entries.js';

let bed: PolicyBed;
let asked = 0;
const names =
  (name: string): RequestListener =>
  ({ url, headers }, response) =>
    response.end(JSON.stringify({ name, url, headers }));

let sick: readonly string[] = [];
const flaky =
  (version: string): RequestListener =>
  (_, response) => {
    response.statusCode = sick.includes(version) ? 503 : 200;
    response.end(JSON.stringify({ name: `flaky-${version}` }));
  };

beforeAll(async () => {
  bed = await policyBed('consul', {
    'reviews-v1': names('reviews-v1'),
    'reviews-v2': names('reviews-v2'),
    ratings: names('ratings'),
    'flaky-v1': flaky('v1'),
    'flaky-v2': flaky('v2'),
    broken: (_, response) => {
      asked += 1;
      response.statusCode = 503;
      response.end();
    },
  });
});
afterEach(async () => {
  asked = 0;
  await bed.reset();
});
afterAll(() => bed.close());

const SUBSETS = '{ v1: { filter: Service.Meta.version == v1 }, v2: { filter: \'Service.Meta["version"] == "v2"\' } }';
const http = (name: string): string => entry('ServiceDefaults', name, '{ protocol: http }');
const resolver = (more = ''): string => entry('ServiceResolver', 'reviews', `{ subsets: ${SUBSETS}${more} }`);
const router = (name: string, routes: string): string => entry('ServiceRouter', name, `{ routes: ${routes} }`);

async function who(to: string, path = '/', headers: Record<string, string> = {}): Promise<string> {
  const { status, body } = await bed.call(to, path, { headers });
  return status === 200 ? (JSON.parse(body) as { name: string }).name : String(status);
}

async function several(to: string, count = 40): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < count; i += 1) {
    const name = await who(to);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

describe('a ServiceRouter', () => {
  it('B-143 and the traps: rules in their order, prefixes of characters, and the service itself where none is met', async () => {
    await bed.apply(
      http('reviews'),
      resolver(),
      router(
        'reviews',
        `[ { match: { http: { pathPrefix: /v2 } }, destination: { serviceSubset: v2 } },
           { match: { http: { pathExact: /v2/exact } }, destination: { service: ratings } },
           { match: { http: { header: [ { name: x-who, exact: ratings } ] } }, destination: { service: ratings } },
           { match: { http: { queryParam: [ { name: who, exact: ratings } ] } }, destination: { service: ratings } } ]`,
      ),
    );
    expect(await who('reviews', '/v2/exact')).toBe('reviews-v2');
    expect(await who('reviews', '/v2example')).toBe('reviews-v2');
    expect(await who('reviews', '/', { 'x-who': 'ratings' })).toBe('ratings');
    expect(await who('reviews', '/?who=ratings')).toBe('ratings');
    expect(Object.keys(await several('reviews')).sort()).toEqual(['reviews-v1', 'reviews-v2']);
  });

  it('rewrites the prefix and changes header fields', async () => {
    await bed.apply(
      http('ratings'),
      router(
        'ratings',
        `[ { match: { http: { pathPrefix: /api/ } }, destination: { prefixRewrite: /, requestHeaders: { set: { X-A: one }, remove: [ X-B ] }, responseHeaders: { add: { X-C: two } } } } ]`,
      ),
    );
    const { body, headers } = await bed.call('ratings', '/api/7', { headers: { 'x-b': 'gone' } });
    expect(JSON.parse(body)).toMatchObject({ url: '/7', headers: { 'x-a': 'one' } });
    expect(body).not.toContain('gone');
    expect(headers['x-c']).toBe('two');
  });

  it('B-144: retries nothing unless it is said, and once where only the reason is', async () => {
    await bed.apply(http('broken'), router('broken', '[ { destination: { requestTimeout: 3s } } ]'));
    expect((await bed.call('broken')).status).toBe(503);
    expect(asked).toBe(1);
    await bed.apply(router('broken', '[ { destination: { retryOnStatusCodes: [ 503 ] } } ]'));
    asked = 0;
    await bed.call('broken');
    expect(asked).toBe(2);
    await bed.apply(router('broken', '[ { destination: { numRetries: 3, retryOn: [ 5xx ] } } ]'));
    asked = 0;
    await bed.call('broken');
    expect(asked).toBe(4);
  });

  it('waits for 15 s unless it is said otherwise', async () => {
    const wait = async (): Promise<string> =>
      JSON.stringify(await bed.mesh.client.call('explainRequest', { from: 'web', to: 'ratings' }));
    await bed.apply(http('ratings'), router('ratings', '[ { match: { http: { pathPrefix: / } } } ]'));
    expect(await wait()).toContain('waits 15000 ms');
    await bed.apply(router('ratings', '[ { destination: { requestTimeout: 2s } } ]'));
    expect(await wait()).toContain('waits 2000 ms');
  });
});

describe('B-143: the protocol', () => {
  const splitter = entry('ServiceSplitter', 'ratings', '{ splits: [ { weight: 100 } ] }');
  const apply = (...documents: readonly string[]) =>
    bed.mesh.client.call('applyResources', { files: [{ name: 'c.yaml', text: documents.join('\n---\n') }] });

  it('tcp permits neither routing nor splitting, and does not come back while something splits', async () => {
    const tcp = entry('ServiceDefaults', 'ratings', '{ protocol: tcp }');
    const both = await apply(tcp, splitter);
    expect(both.applied).toBe(false);
    expect(both.findings.map(({ code, message }) => [code, message])).toEqual([
      ['MS0220', 'ratings speaks tcp, which permits neither routing nor splitting'],
    ]);
    expect((await apply(http('ratings'), splitter)).applied).toBe(true);
    expect((await apply(tcp)).applied).toBe(false);
    expect(await who('ratings')).toBe('ratings');
  });

  it('of all services is that of ProxyDefaults', async () => {
    const all = (protocol: string): string => entry('ProxyDefaults', 'global', `{ config: { protocol: ${protocol} } }`);
    expect((await apply(all('tcp'), splitter)).applied).toBe(false);
    expect((await apply(all('tcp'), http('ratings'), splitter)).applied).toBe(true);
    expect((await apply(all('http'))).applied).toBe(true);
  });
});

describe('a ServiceSplitter', () => {
  it.each([
    ['[ { weight: 99.99, serviceSubset: v1 } ]', '99.99'],
    ['[ { weight: 50.01, serviceSubset: v1 }, { weight: 50, serviceSubset: v2 } ]', '100.01'],
  ])('B-142: %s is refused with its sum', async (splits, sum) => {
    const text = entry('ServiceSplitter', 'reviews', `{ splits: ${splits} }`);
    const { applied, findings } = await bed.mesh.client.call('applyResources', { files: [{ name: 'c.yaml', text }] });
    expect(applied).toBe(false);
    expect(findings[0]?.message).toBe(`the sum of all split weights must be 100, and it is ${sum}`);
  });

  it('is refused where it names a subset that there is not', async () => {
    const text = entry('ServiceSplitter', 'reviews', '{ splits: [ { weight: 100, serviceSubset: v3 } ] }');
    const files = [{ name: 'c.yaml', text: [http('reviews'), resolver(), text].join('\n---\n') }];
    const { applied, findings } = await bed.mesh.client.call('applyResources', { files });
    expect(applied).toBe(false);
    expect(findings.map(({ code, message }) => [code, message])).toEqual([
      ['MS0223', 'no ServiceResolver reviews has a subset v3'],
    ]);
  });

  it('splits between subsets and other services', async () => {
    const split = (splits: string): string => entry('ServiceSplitter', 'reviews', `{ splits: ${splits} }`);
    await bed.apply(http('reviews'), resolver(), split('[ { weight: 100, serviceSubset: v2 } ]'));
    expect(await several('reviews', 10)).toEqual({ 'reviews-v2': 10 });
    await bed.apply(split('[ { weight: 50, serviceSubset: v1 }, { weight: 50, service: ratings } ]'));
    const counts = await several('reviews', 60);
    expect(Object.keys(counts).sort()).toEqual(['ratings', 'reviews-v1']);
    expect(counts.ratings).toBeGreaterThan(15);
  });
});

describe('a ServiceResolver', () => {
  it('answers with its default subset', async () => {
    await bed.apply(http('reviews'), resolver(', defaultSubset: v2'));
    expect(await several('reviews', 10)).toEqual({ 'reviews-v2': 10 });
  });

  it('B-147: a redirect replaces the service', async () => {
    await bed.apply(entry('ServiceResolver', 'broken', '{ redirect: { service: ratings } }'));
    expect(await who('broken')).toBe('ratings');
  });

  it('B-147: fails over to another service when nobody is there', async () => {
    const nobody = '{ v9: { filter: Service.Meta.version == v9 } }';
    const with9 = (more: string): string =>
      entry('ServiceResolver', 'reviews', `{ defaultSubset: v9, subsets: ${nobody}${more} }`);
    await bed.apply(http('reviews'), with9(''));
    expect(await who('reviews')).toBe('503');
    await bed.apply(with9(", failover: { '*': { service: ratings } }"));
    expect(await several('reviews', 5)).toEqual({ ratings: 5 });
    await bed.apply(with9(', failover: { v9: { targets: [ { service: broken }, { service: ratings } ] } }'));
    expect(await who('reviews')).toBe('503');
    expect(asked).toBeGreaterThan(0);
  });

  it('B-147: asks nobody else while one instance is left', async () => {
    const passive =
      '{ interval: 50ms, maxFailures: 1, enforcingConsecutive5xx: 100, maxEjectionPercent: 100, baseEjectionTime: 60s }';
    const defaults = entry(
      'ServiceDefaults',
      'web',
      `{ upstreamConfig: { overrides: [ { name: flaky, passiveHealthCheck: ${passive} } ] } }`,
    );
    await bed.apply(defaults, entry('ServiceResolver', 'flaky', "{ failover: { '*': { service: ratings } } }"));
    sick = ['v1'];
    const first = await several('flaky', 30);
    expect(first.ratings).toBeUndefined();
    expect(first['flaky-v2']).toBeGreaterThan(14);
    sick = ['v1', 'v2'];
    await expect.poll(() => who('flaky'), { timeout: 10_000 }).toBe('ratings');
    expect(await several('flaky', 10)).toEqual({ ratings: 10 });
  });

  it('keeps one caller with one instance by a hash', async () => {
    const hash = '{ policy: maglev, hashPolicies: [ { field: header, fieldValue: x-user } ] }';
    await bed.apply(http('reviews'), resolver(`, loadBalancer: ${hash}`));
    for (const user of ['a', 'b', 'c', 'd']) {
      const first = await who('reviews', '/', { 'x-user': user });
      for (let i = 0; i < 5; i += 1) expect(await who('reviews', '/', { 'x-user': user })).toBe(first);
    }
  });
});
