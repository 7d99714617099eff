import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';
import { until } from '../../support/until.js';
import { entry } from './entries.js';

let bed: PolicyBed;
let broken = false;
/** Answers that the app keeps back. */
const holding: (() => void)[] = [];

beforeAll(async () => {
  bed = await policyBed('consul', {
    reviews: ({ url }, response) => {
      response.statusCode = broken ? 500 : 200;
      if (url === '/hold') holding.push(() => response.end());
      else response.end();
    },
    batch: (_, response) => response.end(),
  });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const intentions = (destination: string, sources: string): string =>
  entry(
    'ServiceIntentions',
    destination === '*' ? 'all' : destination,
    `{ destination: { name: '${destination}' }, sources: ${sources} }`,
  );
const status = async (from = 'web', path = '/', method = 'GET'): Promise<number> =>
  (await bed.call('reviews', path, { from, method })).status;

describe('B-140: intentions', () => {
  it('by the names of both go before those by one of them', async () => {
    await bed.apply(intentions('reviews', "[ { name: '*', action: allow }, { name: web, action: deny } ]"));
    expect([await status('web'), await status('batch')]).toEqual([403, 200]);
    await bed.apply(intentions('reviews', "[ { name: web, action: allow }, { name: '*', action: deny } ]"));
    expect([await status('web'), await status('batch')]).toEqual([200, 403]);
  });

  it('about a destination go before those about all', async () => {
    await bed.apply(
      intentions('*', "[ { name: '*', action: deny } ]"),
      intentions('reviews', '[ { name: web, action: allow } ]'),
    );
    expect([await status('web'), await status('batch')]).toEqual([200, 403]);
    expect((await bed.call('batch')).status).toBe(403);
  });

  it('let in whom they do not speak of, unlike a first ALLOW of Istio', async () => {
    await bed.apply(intentions('reviews', '[ { name: web, action: deny } ]'));
    expect([await status('web'), await status('batch')]).toEqual([403, 200]);
    await bed.apply(intentions('reviews', '[ { name: web, action: allow } ]'));
    expect([await status('web'), await status('batch')]).toEqual([200, 200]);
  });

  it('decide by their first permission that is met, else let in', async () => {
    const permissions = `[ { action: deny, http: { pathPrefix: /admin } },
      { action: allow, http: { pathExact: /admin/open } },
      { action: deny, http: { pathPrefix: /items, methods: [ POST ] } },
      { action: deny, http: { pathPrefix: /, header: [ { name: x-no, present: true } ] } } ]`;
    await bed.apply(intentions('reviews', `[ { name: web, permissions: ${permissions} } ]`));
    expect(await status('web', '/admin/open')).toBe(403);
    expect(await status('web', '/items', 'POST')).toBe(403);
    expect(await status('web', '/items')).toBe(200);
    expect(await status('batch', '/admin/open')).toBe(200);
    expect((await bed.call('reviews', '/', { headers: { 'x-no': '1' } })).status).toBe(403);
  });
});

describe('intentions', () => {
  it('stand in whatever namespace of Kubernetes', async () => {
    const all = intentions('*', "[ { name: '*', action: deny } ]").replace('name: all', 'name: all, namespace: consul');
    await bed.apply(all);
    expect([await status('web'), await status('batch')]).toEqual([403, 403]);
  });

  it('mean methods in any letters', async () => {
    await bed.apply(
      intentions('reviews', '[ { name: web, permissions: [ { action: deny, http: { methods: [ get ] } } ] } ]'),
    );
    expect([await status('web', '/', 'GET'), await status('web', '/', 'POST')]).toEqual([403, 200]);
  });

  it.each(['peer: other', 'partition: other', 'samenessGroup: other'])(
    'about callers from elsewhere are about nobody here: %s',
    async (where) => {
      const told = await bed.apply(intentions('reviews', `[ { name: web, ${where}, action: deny } ]`));
      expect(told).toEqual(['MS0001']);
      expect(await status('web')).toBe(200);
      expect(await status('batch')).toBe(200);
    },
  );

  it('about callers of a namespace are about no others', async () => {
    await bed.apply(intentions('reviews', '[ { name: web, namespace: other, action: deny } ]'));
    expect(await status('web')).toBe(200);
    await bed.apply(intentions('reviews', "[ { name: '*', namespace: default, action: deny } ]"));
    expect(await status('web')).toBe(403);
  });
});

describe('B-146: mutual TLS', () => {
  const mode = (word: string): string =>
    entry('ServiceDefaults', 'reviews', `{ protocol: http, mutualTLSMode: ${word} }`);
  const MESH = entry('Mesh', 'mesh', '{ allowEnablingPermissiveMutualTLS: true }');

  it('strict refuses plaintext', async () => {
    await bed.apply(mode('strict'));
    await expect(bed.callUnmeshed('reviews')).rejects.toThrow();
    expect(await status()).toBe(200);
  });

  it('permissive needs the word of the Mesh, and asks nobody in plaintext for an intention', async () => {
    const files = [{ name: 'c.yaml', text: mode('permissive') }];
    const { applied, findings } = await bed.mesh.client.call('applyResources', { files });
    expect([applied, findings.map(({ code }) => code)]).toEqual([false, ['MS0221']]);
    await bed.apply(MESH, mode('permissive'), intentions('reviews', "[ { name: '*', action: deny } ]"));
    expect(await bed.callUnmeshed('reviews')).toBe(200);
    expect(await status()).toBe(403);
  });

  it('permissive of one service asks nobody in plaintext, where all are kept out', async () => {
    await bed.apply(MESH, mode('permissive'), intentions('*', "[ { name: '*', action: deny } ]"));
    expect(await bed.callUnmeshed('reviews')).toBe(200);
    expect([await status('web'), (await bed.call('batch')).status]).toEqual([403, 403]);
  });

  it('permissive of all leaves a service strict that says so', async () => {
    const all = entry('ProxyDefaults', 'global', '{ mutualTLSMode: permissive }');
    await bed.apply(MESH, all, mode('strict'), intentions('*', "[ { name: '*', action: deny } ]"));
    await expect(bed.callUnmeshed('reviews')).rejects.toThrow();
    expect(await bed.callUnmeshed('batch')).toBe(200);
  });
});

describe('upstreamConfig', () => {
  it('B-149: puts a failing service aside for its callers alone, and lets it back', async () => {
    const check =
      '{ interval: 100ms, maxFailures: 3, enforcingConsecutive5xx: 100, maxEjectionPercent: 100, baseEjectionTime: 4s }';
    await bed.apply(
      entry(
        'ServiceDefaults',
        'web',
        `{ protocol: http, upstreamConfig: { overrides: [ { name: reviews, passiveHealthCheck: ${check}, limits: { maxConnections: 30, maxPendingRequests: 40, maxConcurrentRequests: 50 } } ] } }`,
      ),
    );
    broken = true;
    const answers: number[] = [];
    for (let i = 0; i < 5; i += 1) answers.push(await status());
    expect(answers).toEqual([500, 500, 500, 503, 503]);
    expect(await status('batch')).toBe(500);
    broken = false;
    await expect.poll(() => status(), { timeout: 10_000 }).toBe(200);
  });
});

describe('upstreamConfig.limits', () => {
  it('B-149: turn away what is more than may be under way, for its callers alone', async () => {
    const limits = '{ maxConnections: 1, maxPendingRequests: 1, maxConcurrentRequests: 1 }';
    await bed.apply(
      entry('ServiceDefaults', 'web', `{ upstreamConfig: { overrides: [ { name: reviews, limits: ${limits} } ] } }`),
    );
    const held = bed.call('reviews', '/hold');
    await until(() => holding.length === 1, 'the app is asked');
    // One of two may wait for the only connection.
    const two = [status('web'), status('web')];
    expect(await Promise.race(two)).toBe(503);
    expect(await status('batch')).toBe(200);
    for (const answer of holding.splice(0)) answer();
    expect((await held).status).toBe(200);
    expect((await Promise.all(two)).toSorted()).toEqual([200, 503]);
  });
});

describe('rateLimits', () => {
  it('of an instance turn away what is too much', async () => {
    await bed.apply(
      entry(
        'ServiceDefaults',
        'reviews',
        '{ protocol: http, rateLimits: { instanceLevel: { requestsPerSecond: 1, requestsMaxBurst: 2 } } }',
      ),
    );
    // At once, so that little flows into the bucket meanwhile.
    const answers = await Promise.all(Array.from({ length: 40 }, () => status()));
    expect(answers.filter((code) => code === 200).length).toBeGreaterThanOrEqual(2);
    expect(answers).toContain(429);
  });

  it('of a route hold in place of those of the whole', async () => {
    const routes = '[ { pathPrefix: /many, requestsPerSecond: 1000 } ]';
    await bed.apply(
      entry(
        'ServiceDefaults',
        'reviews',
        `{ protocol: http, rateLimits: { instanceLevel: { requestsPerSecond: 1, requestsMaxBurst: 1, routes: ${routes} } } }`,
      ),
    );
    const many = [];
    for (let i = 0; i < 5; i += 1) many.push(await status('web', '/many'));
    expect(many).toEqual([200, 200, 200, 200, 200]);
    const others = await Promise.all(Array.from({ length: 40 }, () => status('web', '/')));
    expect([...new Set(others)].sort()).toEqual([200, 429]);
  });
});
