import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import { ask } from '../../support/asking.js';
import { startMesh } from '../../support/mesh.js';
import { localWorld, type World } from '../../vectors/world.js';

/** Istio's patience, behaviour by behaviour. */
let world: World;
beforeAll(async () => {
  world = await localWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.clear();
  await world.script({}, 'reset');
});

const ratings = { to: 'ratings:9080' };

describe('what a mesh does unasked', () => {
  it('B-070: three tries to connect, another pod first; one where an app answered', async () => {
    await world.script({ 'ratings-v1': { down: true } }, 'keep');
    const down = await ask(world, '/', ratings);
    expect([down.status, down.attempts, down.flags]).toEqual([503, 3, 'URX,UF']);
    await world.script({ 'details-v1-a': { down: true } }, 'keep');
    for (let i = 0; i < 8; i++) expect((await ask(world, '/', { to: 'details:9080' })).pod).toBe('details-v1-b');
    for (const status of [500, 503]) {
      await world.script({ 'ratings-v1': { status } }, 'keep');
      const answered = await ask(world, '/', ratings);
      expect([answered.status, answered.attempts, answered.hits.length]).toEqual([status, 1, 1]);
    }
    await world.script({ 'ratings-v1': { headers: { 'grpc-status': '14' } } }, 'keep');
    expect((await ask(world, '/', ratings)).hits.length).toBe(3);
  });

  it('a plain 503 was retried until 1.23', async () => {
    let asked = 0;
    const app = {
      web: () => {},
      ratings: (_: unknown, response: import('node:http').ServerResponse) =>
        void response.writeHead(++asked > 2 ? 200 : 503).end(),
    };
    for (const [flavor, status, times] of [
      ['istio@1.23', 200, 3],
      ['istio', 503, 1],
    ] as const) {
      asked = 0;
      const mesh = await startMesh(appOf([workload('web'), workload('ratings')]), app, { flavor });
      expect((await fetch(await mesh.outboundUrl('web', 'ratings'))).status).toBe(status);
      expect(asked).toBe(times);
      await mesh.close();
    }
  });
});

describe('what is asked for', () => {
  it('B-073: the timeout holds for all tries, which end by their own before', async () => {
    await world.script({ 'ratings-v1': { hang: true } }, 'keep');
    const yaml =
      'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: r }\nspec: { hosts: [ratings], http: [ { timeout: 1600ms, retries: { attempts: 5, perTryTimeout: 1s, retryOn: 5xx }, route: [ { destination: { host: ratings } } ] } ] }\n';
    expect(await world.apply('p.yaml', yaml)).toEqual([]);
    const { status, ms, hits, flags } = await ask(world, '/', ratings);
    expect([status, flags, hits.length]).toEqual([504, 'UT', 2]);
    // Six tries would take six seconds.
    expect(ms).toBeGreaterThan(1_550);
    expect(ms).toBeLessThan(5_000);
  });

  it('B-075: failures in a row put one of two aside at once, where the percentage has room', async () => {
    await world.script({ 'details-v1-a': { status: 500 } }, 'keep');
    const yaml = (percent: string) =>
      `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: d }\nspec: { host: details, trafficPolicy: { loadBalancer: { simple: ROUND_ROBIN }, outlierDetection: { consecutive5xxErrors: 2${percent} } } }\n`;
    const statuses = async (times: number) => {
      const all: (number | null)[] = [];
      for (let i = 0; i < times; i++) all.push((await ask(world, '/', { to: 'details:9080' })).status);
      return all;
    };
    await world.apply('p.yaml', yaml(', maxEjectionPercent: 50'));
    expect((await statuses(4)).filter((status) => status === 500)).toHaveLength(2);
    expect(await statuses(6)).toEqual(Array(6).fill(200));
    // A tenth of two is nobody.
    await world.apply('p.yaml', yaml(''));
    expect((await statuses(8)).filter((status) => status === 500)).toHaveLength(4);
  });
});

describe('places', () => {
  const PLACES = { near: 'eu/a', next: 'eu/b', far: 'us/a' } as const;
  const mesh = async (settings: string) => {
    const down = new Set<string>();
    const app = (name: string) => (_: unknown, response: import('node:http').ServerResponse) =>
      void response.writeHead(down.has(name) ? 503 : 200).end(name);
    const started = await startMesh(
      appOf([
        workload('web-v1', { locality: 'eu/a' }),
        ...Object.entries(PLACES).map(([name, locality]) =>
          workload(name, { app: 'shop', labels: { app: 'shop', version: name }, version: name, locality }),
        ),
      ]),
      { 'web-v1': () => {}, ...Object.fromEntries(Object.keys(PLACES).map((name) => [name, app(name)])) },
      { seed: 5 },
    );
    const text = `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: shop }\nspec: { host: shop, trafficPolicy: { ${settings} } }\n`;
    const { applied } = await started.client.call('applyResources', { files: [{ name: 'p.yaml', text }] });
    expect(applied).toBe(true);
    const url = await started.outboundUrl('web-v1', 'shop');
    return { ...started, down, asked: async () => (await fetch(url)).text() };
  };

  it('B-079: where a breaker watches, the zone, then the region, then the rest are asked', async () => {
    const { asked, down, close } = await mesh('outlierDetection: { consecutive5xxErrors: 1, maxEjectionPercent: 100 }');
    const tenTimes = async () => new Set(await Promise.all(Array.from({ length: 10 }, asked)));
    expect(await tenTimes()).toEqual(new Set(['near']));
    down.add('near');
    await asked();
    expect(await tenTimes()).toEqual(new Set(['next']));
    await close();
  });

  it('B-079: without a breaker nothing fails over', async () => {
    const { asked, close } = await mesh('loadBalancer: { simple: ROUND_ROBIN }');
    const seen = new Set<string>();
    for (let i = 0; i < 6; i++) seen.add(await asked());
    expect(seen).toEqual(new Set(['near', 'next', 'far']));
    await close();
  });

  it('B-080: shares by place: 70, 20, 10 of 200', async () => {
    const to = "'eu/a/*': 70, 'eu/b/*': 20, 'us/a/*': 10";
    const { asked, close } = await mesh(
      `loadBalancer: { localityLbSetting: { enabled: true, distribute: [ { from: eu/a/*, to: { ${to} } } ] } }`,
    );
    const counts: Record<string, number> = {};
    for (let i = 0; i < 200; i++) {
      const pod = await asked();
      counts[pod] = (counts[pod] ?? 0) + 1;
    }
    // 3.3 standard errors around each share.
    expect(Math.abs((counts['near'] ?? 0) - 140)).toBeLessThan(22);
    expect(Math.abs((counts['next'] ?? 0) - 40)).toBeLessThan(19);
    expect(Math.abs((counts['far'] ?? 0) - 20)).toBeLessThan(15);
    await close();
  });
});
