import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { seededRandom } from '../../../src/platform/random.js';
import { until } from '../../support/until.js';
import { httpRoute, type LinkerdBed, linkerdBed, service } from './bed.js';

let bed: LinkerdBed;
/** How often the app was asked, by path. */
const asked = new Map<string, number>();
/** How often the app fails, 0-1; seeded, so that the same requests fail each time. */
let failing = seededRandom(7, 'authors');

beforeAll(async () => {
  bed = await linkerdBed({
    authors: (request, response) => {
      const path = request.url ?? '';
      const tries = (asked.get(path) ?? 0) + 1;
      asked.set(path, tries);
      const status = /^\/(\d{3})/.exec(path)?.[1];
      const answer = (): void => {
        request.resume();
        response.statusCode = path === '/half' ? (failing.next() < 0.5 ? 503 : 200) : Number(status ?? 200);
        response.end();
      };
      // One that is slow answers after 1,200 ms, at its first try or at each.
      if (path === '/slow' || (path === '/slow-once' && tries === 1)) setTimeout(answer, 1_200);
      else answer();
    },
  });
});
afterEach(() => {
  asked.clear();
  return bed.reset();
});
afterAll(() => bed.close());

/** The status that a caller gets, and how often the app was asked for it. */
async function tried(
  path: string,
  init: Parameters<LinkerdBed['call']>[2] = {},
): Promise<[status: number, tries: number]> {
  const { status } = await bed.call('authors', path, init);
  return [status, asked.get(path) ?? 0];
}

const route = (annotations: string, path = '/'): string =>
  httpRoute(
    'authors',
    'authors',
    `[ { matches: [ { path: { value: ${path} } } ], backendRefs: [ { name: authors, port: 9080 } ] } ]`,
    annotations,
  );

describe('B-127: retries and timeouts by annotation', () => {
  it.each([
    ['5xx', '/503', [503, 2]],
    ['5xx', '/404', [404, 1]],
    ['gateway-error', '/500', [500, 1]],
    ['gateway-error', '/504', [504, 2]],
    ['"404"', '/404', [404, 2]],
    ['"400-404,503"', '/402', [402, 2]],
  ])('retry.linkerd.io/http: %s on the Service makes of %s %j', async (http, path, outcome) => {
    await bed.apply(service('authors', `{ retry.linkerd.io/http: ${http} }`));
    expect(await tried(path)).toEqual(outcome);
  });

  it('of a route go before those of its Service, as a block', async () => {
    const wide = service('authors', '{ retry.linkerd.io/http: 5xx, retry.linkerd.io/limit: "4" }');
    await bed.apply(wide, route('{}'));
    expect(await tried('/503')).toEqual([503, 5]);
    await bed.apply(route('{ retry.linkerd.io/http: gateway-error }'));
    asked.clear();
    // The limit of the Service is not taken over: Linkerd's own is one.
    expect(await tried('/503')).toEqual([503, 2]);
    expect(await tried('/500')).toEqual([500, 1]);
  });

  it('timeout.linkerd.io/request covers all tries, and is answered 504', async () => {
    const annotations = '{ retry.linkerd.io/http: 5xx, timeout.linkerd.io/request: 400ms }';
    await bed.apply(service('authors', annotations));
    expect(await tried('/slow')).toEqual([504, 1]);
  });

  it('timeout.linkerd.io/response is not followed by a retry', async () => {
    await bed.apply(route('{ retry.linkerd.io/http: 5xx, timeout.linkerd.io/response: 400ms }'));
    expect(await tried('/slow')).toEqual([504, 1]);
  });

  it('retry.linkerd.io/timeout ends a try, and another follows', async () => {
    await bed.apply(service('authors', '{ retry.linkerd.io/http: 5xx, retry.linkerd.io/timeout: 400ms }'));
    expect(await tried('/slow-once')).toEqual([200, 2]);
  });
});

describe('B-128: what holds where nothing is said', () => {
  it('nobody retries, and nobody gives up waiting', async () => {
    expect(await tried('/503')).toEqual([503, 1]);
    expect(await tried('/slow')).toEqual([200, 1]);
  });

  it('no endpoint is left alone', async () => {
    for (let n = 0; n < 10; n++) await bed.call('authors', '/500');
    expect(asked.get('/500')).toBe(10);
  });

  it('one retry, whatever the method', async () => {
    await bed.apply(service('authors', '{ retry.linkerd.io/http: 5xx }'));
    expect(await tried('/503', { method: 'POST', body: 'x' })).toEqual([503, 2]);
  });

  it('a body of more than 64 KiB is sent once', async () => {
    await bed.apply(service('authors', '{ retry.linkerd.io/http: 5xx }'));
    expect(await tried('/503', { method: 'POST', body: 'x'.repeat(64 * 1024 + 1) })).toEqual([503, 1]);
  });

  it('the last try has no time of its own', async () => {
    await bed.apply(service('authors', '{ retry.linkerd.io/http: 5xx, retry.linkerd.io/timeout: 400ms }'));
    // Both tries are slow: the first is ended, the second is waited for.
    expect(await tried('/slow')).toEqual([200, 2]);
  });

  it('a limit of 0 is as if not written', async () => {
    await bed.apply(service('authors', '{ retry.linkerd.io/http: 5xx, retry.linkerd.io/limit: "0" }'));
    expect(await tried('/503')).toEqual([503, 2]);
  });
});

describe('B-129: books, of which half the calls to authors fail', () => {
  const REQUESTS = 400;

  async function successRate(): Promise<number> {
    failing = seededRandom(7, 'authors');
    let fine = 0;
    for (let n = 0; n < REQUESTS; n++) if ((await bed.call('authors', '/half')).status === 200) fine++;
    return fine / REQUESTS;
  }

  it.each([
    ['{}', 0.5],
    ['{ retry.linkerd.io/http: 5xx }', 0.75],
    ['{ retry.linkerd.io/http: 5xx, retry.linkerd.io/limit: "3" }', 0.9375],
  ])('%s: as many succeed as chance says', { timeout: 60_000 }, async (annotations, expected) => {
    await bed.apply(service('authors', annotations));
    const rate = await successRate();
    // Four standard deviations of a share of 400.
    expect(Math.abs(rate - expected)).toBeLessThan(4 * Math.sqrt((expected * (1 - expected)) / REQUESTS));
  });

  it('the record of a request tells its tries, and why the second came', async () => {
    await bed.apply(service('authors', '{ retry.linkerd.io/http: 5xx }'));
    await bed.call('authors', '/503?told');
    await until(async () => {
      const all = await bed.mesh.client.call('exchanges', { direction: 'outbound', limit: 50 });
      const record = all.find(({ request }) => request.path.startsWith('/503?told'));
      return record?.attempts[0]?.next.includes('retry.linkerd.io/http') ?? false;
    }, 'the reason for the second try');
  });
});
