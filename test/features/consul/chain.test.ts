import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import { startMesh, type TestMesh } from '../../support/mesh.js';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';
import { portOf, raw } from '../../support/raw.js';
import { entry } from './entries.js';

let bed: PolicyBed;
let asked = 0;
const sick = new Set<string>();
const app =
  (name: string): RequestListener =>
  ({ headers }, response) => {
    asked += 1;
    response.statusCode = sick.has(name) ? 503 : 200;
    response.end(`${name} ${headers['x-split'] ?? ''} ${headers['x-only'] ?? ''}`);
  };

beforeAll(async () => {
  const names = ['reviews-v1', 'reviews-v2', 'ratings', 'batch', 'broken'];
  bed = await policyBed('consul', Object.fromEntries(names.map((name) => [name, app(name)])));
});
afterEach(async () => {
  asked = 0;
  sick.clear();
  await bed.reset();
});
afterAll(() => bed.close());

const http = (...names: readonly string[]) => names.map((name) => entry('ServiceDefaults', name, '{ protocol: http }'));
const resolver = (name: string, spec: string) => entry('ServiceResolver', name, spec);
const splitter = (name: string, splits: string) => entry('ServiceSplitter', name, `{ splits: ${splits} }`);
const router = (name: string, routes: string) => entry('ServiceRouter', name, `{ routes: ${routes} }`);
const SUBSETS = 'subsets: { v1: { filter: Service.Meta.version == v1 }, v2: { filter: Service.Meta.version == v2 } }';

/** Who answers, how often. */
async function several(to: string, count = 60): Promise<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (let i = 0; i < count; i += 1) {
    const { status, body } = await bed.call(to);
    const name = status === 200 ? (body.split(' ')[0] ?? '') : String(status);
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

const who = async (to: string): Promise<string[]> => Object.keys(await several(to)).sort();

async function waits(to: string, path = '/'): Promise<string> {
  const explained = await bed.mesh.client.call('explainRequest', { from: 'web', to, path });
  return /waits (\d+) ms/.exec(JSON.stringify(explained))?.[1] ?? 'none';
}

describe('a splitter behind a splitter', () => {
  it('splits again what comes to it, and its headers go before those of the first', async () => {
    await bed.apply(
      ...http('reviews', 'ratings', 'batch'),
      splitter(
        'reviews',
        '[ { weight: 100, service: ratings, requestHeaders: { set: { x-split: outer, x-only: outer } } } ]',
      ),
      splitter('ratings', '[ { weight: 100, service: batch, requestHeaders: { set: { x-split: inner } } } ]'),
    );
    expect((await bed.call('reviews')).body).toBe('batch inner outer');
    await bed.apply(splitter('ratings', '[ { weight: 50 }, { weight: 50, service: batch } ]'));
    expect(await who('reviews')).toEqual(['batch', 'ratings']);
  });
});

describe('a resolver', () => {
  it('says how long a request may take where it alone is in the way, the last of redirects', async () => {
    await bed.apply(
      ...http('reviews', 'ratings'),
      resolver('reviews', '{ requestTimeout: 2s, redirect: { service: ratings } }'),
      resolver('ratings', '{ requestTimeout: 3s }'),
    );
    expect([await waits('reviews'), await waits('ratings')]).toEqual(['3000', '3000']);
    await bed.apply(resolver('reviews', '{ requestTimeout: 2s }'));
    expect(await waits('reviews')).toBe('2000');
    await bed.apply(
      router('reviews', '[ { match: { http: { pathPrefix: /a } }, destination: { requestTimeout: 0s } } ]'),
    );
    expect([await waits('reviews'), await waits('reviews', '/a')]).toEqual(['15000', '15000']);
    await bed.apply(router('reviews', '[ { destination: { requestTimeout: -1s } } ]'));
    expect(await waits('reviews')).toBe('none');
  });

  it('fails over to where the other service is sent', async () => {
    await bed.apply(
      ...http('reviews', 'ratings', 'batch'),
      resolver(
        'reviews',
        "{ subsets: { v9: { filter: Service.Meta.version == v9 } }, defaultSubset: v9, failover: { '*': { service: ratings } } }",
      ),
      resolver('ratings', '{ redirect: { service: batch } }'),
    );
    expect(await who('reviews')).toEqual(['batch']);
    await bed.apply(
      resolver('ratings', '{ subsets: { v8: { filter: Service.Meta.version == v8 } }, defaultSubset: v8 }'),
    );
    expect(await who('reviews')).toEqual(['503']);
  });

  it('whose filter labels cannot answer chooses nobody, and is told', async () => {
    const documents = [
      ...http('reviews'),
      resolver('reviews', `{ subsets: { v2: { filter: '"v2" in Service.Tags' } }, defaultSubset: v2 }`),
    ];
    expect(await bed.apply(...documents)).toEqual(['MS0001']);
    expect(await who('reviews')).toEqual(['503']);
  });

  it('chooses by an expression', async () => {
    await bed.apply(
      ...http('reviews'),
      resolver(
        'reviews',
        "{ subsets: { new: { filter: 'Service.Meta.version matches `[2-9]$`' } }, defaultSubset: new }",
      ),
    );
    expect(await who('reviews')).toEqual(['reviews-v2']);
  });

  it('in whatever namespace of Kubernetes it stands', async () => {
    const far = resolver('reviews', `{ ${SUBSETS}, defaultSubset: v2 }`).replace(
      'name: reviews',
      'name: reviews, namespace: consul',
    );
    await bed.apply(...http('reviews'), far);
    expect(await who('reviews')).toEqual(['reviews-v2']);
  });

  it('is not deleted while somebody names its subsets', async () => {
    await bed.apply(
      ...http('reviews'),
      resolver('reviews', `{ ${SUBSETS} }`),
      splitter('reviews', '[ { weight: 100, serviceSubset: v1 } ]'),
    );
    const { applied, findings } = await bed.mesh.client.call('deleteResources', {
      kind: 'ServiceResolver',
      name: 'reviews',
    });
    expect([applied, findings.map(({ code, level }) => [code, level])]).toEqual([false, [['MS0223', 'error']]]);
    expect(await who('reviews')).toEqual(['reviews-v1']);
    expect((await bed.mesh.client.call('deleteResources', { kind: 'ServiceSplitter', name: 'reviews' })).applied).toBe(
      true,
    );
    expect((await bed.mesh.client.call('deleteResources', { kind: 'ServiceResolver', name: 'reviews' })).applied).toBe(
      true,
    );
  });
});

describe('retries', () => {
  it.each([
    ['without a reason are none', '{ numRetries: 3 }', 1],
    ['without a number are one', '{ numRetries: 0, retryOn: [ 5xx ] }', 2],
  ])('%s', async (_, destination, times) => {
    sick.add('broken');
    await bed.apply(...http('broken'), router('broken', `[ { destination: ${destination} } ]`));
    expect((await bed.call('broken')).status).toBe(503);
    expect(asked).toBe(times);
  });
});

describe('a match', () => {
  it('compares methods and, where it is asked to, header values in large and small letters alike', async () => {
    await bed.apply(
      ...http('reviews', 'ratings', 'batch'),
      router(
        'reviews',
        `[ { match: { http: { methods: [ post ] } }, destination: { service: ratings } },
           { match: { http: { header: [ { name: X-Who, prefix: Ba., ignoreCase: true } ] } }, destination: { service: batch } } ]`,
      ),
    );
    const asks = async (init: Parameters<PolicyBed['call']>[2]) =>
      (await bed.call('reviews', '/', init)).body.split(' ')[0];
    expect(await asks({ method: 'POST' })).toBe('ratings');
    expect(await asks({ headers: { 'x-who': 'bA.tch' } })).toBe('batch');
    expect(await asks({ headers: { 'x-who': 'baxtch' } })).toMatch(/^reviews/);
  });
});

describe('a gateway', () => {
  it('goes the way of the discovery chain to its first service', async () => {
    const names = { front: app('front'), ratings: app('ratings') };
    const mesh = await startMesh(appOf(Object.keys(names).map((name) => workload(name))), names, { flavor: 'consul' });
    try {
      const files = [{ name: 'c.yaml', text: resolver('front', '{ redirect: { service: ratings } }') }];
      expect((await mesh.client.call('applyResources', { files })).applied).toBe(true);
      expect(await (await fetch(mesh.gatewayUrl)).text()).toMatch(/^ratings/);
    } finally {
      await mesh.close();
    }
  });
});

describe('connections', () => {
  let mesh: TestMesh;
  beforeAll(async () => {
    const database = (name: string) =>
      createServer((socket) => {
        socket.on('error', () => {});
        socket.end(name);
      }) as never;
    const ports = [{ port: 3306, protocol: 'tcp' as const }];
    const names = ['db-v1', 'db-v2', 'spare'];
    mesh = await startMesh(
      appOf([workload('web'), ...names.map((name) => workload(name, { ports }))]),
      Object.fromEntries(names.map((name) => [name, database(name)])),
      { flavor: 'consul' },
    );
  });
  afterAll(() => mesh.close());

  async function reached(document: string): Promise<string[]> {
    await mesh.client.call('deleteResources', { all: true });
    const files = [{ name: 'tcp.yaml', text: document }];
    expect((await mesh.client.call('applyResources', { files })).applied).toBe(true);
    const found = new Set<string>();
    for (let i = 0; i < 20; i++) found.add((await raw(portOf(await mesh.outboundUrl('web', 'db')), 'hi\n')).received);
    return [...found].sort();
  }

  it('go the way of resolvers too', async () => {
    expect(await reached(resolver('db', `{ ${SUBSETS}, defaultSubset: v2 }`))).toEqual(['db-v2']);
    expect(await reached(resolver('db', '{ redirect: { service: spare } }'))).toEqual(['spare']);
  });

  it('are kept out by permissions about requests', async () => {
    const permissions = '[ { action: allow, http: { pathPrefix: / } } ]';
    expect(
      await reached(entry('ServiceIntentions', 'db', `{ sources: [ { name: web, permissions: ${permissions} } ] }`)),
    ).toEqual(['']);
  });
});
