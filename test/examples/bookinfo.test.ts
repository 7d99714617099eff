import { afterEach, describe, expect, it } from 'vitest';
import { details } from '../../examples/bookinfo/details.js';
import { productpage } from '../../examples/bookinfo/productpage.js';
import { ratings } from '../../examples/bookinfo/ratings.js';
import { reviews } from '../../examples/bookinfo/reviews.js';
import { TIMEOUTS } from '../../examples/bookinfo/timeouts.js';
import { Bed, FAST } from './bookinfo-bed.js';

const bed = new Bed();
afterEach(() => bed.close());

const NOWHERE = 'http://127.0.0.1:1';

/** The whole app with one version of reviews; any part may be replaced by the address of another. */
async function bookinfo(version: string, urls: { details?: string; reviews?: string; ratings?: string } = {}) {
  const ratingsUrl = urls.ratings ?? (await bed.serve(ratings({ version: 'v1', timeouts: FAST })));
  const parts = { version, ratingsUrl, podName: `reviews-${version}`, timeouts: FAST };
  return bed.serve(
    productpage({
      detailsUrl: urls.details ?? (await bed.serve(details())),
      reviewsUrl: urls.reviews ?? (await bed.serve(reviews(parts))),
      ratingsUrl,
      timeouts: FAST,
    }),
  );
}

async function pageOf(url: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${url}/productpage`, { headers });
  expect(response.status).toBe(200);
  return response.text();
}

describe('the page', () => {
  it.each([
    ['v1', 'no stars: v1', null],
    ['v2', 'black stars: v2', 'class="black"'],
    ['v3', 'red stars: v3', 'class="red"'],
  ])('reviews %s: %s', async (version, hint, stars) => {
    const html = await pageOf(await bookinfo(version));
    expect(html).toContain(`<code>reviews-${version}</code> (${hint})`);
    expect(html).toContain('William Shakespeare');
    if (stars === null) expect(html).not.toContain('★');
    else expect(html).toContain(`<span ${stars} role="img" aria-label="4 stars">★★★★☆</span>`);
  });

  it('without ratings says so, and still tells which version answered', async () => {
    const html = await pageOf(await bookinfo('v3', { ratings: NOWHERE }));
    expect(html).toContain('Ratings service is currently unavailable');
    expect(html).toContain('(red stars: v3)');
  });

  it('without reviews and details is shown all the same', async () => {
    const html = await pageOf(await bookinfo('v1', { reviews: NOWHERE, details: 'not a url' }));
    expect(html).toContain('Error fetching product reviews!');
    expect(html).toContain('Error fetching product details!');
  });

  it.each([[null], ['text'], [[1]], [{ reviews: 'x' }], [{ reviews: [null, { rating: { stars: -3 } }] }]])(
    'survives a body that is not what it should be: %j',
    async (body) => {
      const odd = await bed.stub({ body });
      await pageOf(await bookinfo('v1', { reviews: odd.url, details: odd.url }));
    },
  );

  it('shows what others wrote as text, not as HTML', async () => {
    const odd = await bed.stub({ body: { reviews: [{ reviewer: '<script>', text: '"&' }], podname: '<b>' } });
    const html = await pageOf(await bookinfo('v1', { reviews: odd.url }));
    expect(html).not.toContain('<script>');
    expect(html).not.toContain('<b>');
  });
});

describe('signing in', () => {
  it('makes a session, which is the header end-user for the services below', async () => {
    const stub = await bed.stub({ body: { reviews: [] } });
    const url = await bookinfo('v1', { reviews: stub.url });
    const login = await fetch(`${url}/login`, {
      method: 'POST',
      body: new URLSearchParams({ username: 'jason' }),
      redirect: 'manual',
    });
    expect([login.status, login.headers.get('location')]).toEqual([303, '/productpage']);
    const cookie = login.headers.get('set-cookie')?.split(';')[0] ?? '';
    expect(await pageOf(url, { cookie })).toContain('jason (<a href="/logout">');
    expect(stub.seen[0]?.headers['end-user']).toBe('jason');

    const logout = await fetch(`${url}/logout`, { redirect: 'manual' });
    expect(logout.headers.get('set-cookie')).toContain('Max-Age=0');
    expect(await pageOf(url)).toContain('action="/login"');
    expect(stub.seen.at(-1)?.headers['end-user']).toBeUndefined();
  });
});

describe('propagation', () => {
  it('hands ids, trace context and identity on, and nothing else', async () => {
    const stub = await bed.stub({ body: { ratings: {} } });
    const url = await bookinfo('v2', { ratings: stub.url });
    const handed = {
      'x-request-id': 'id-1',
      traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01',
      tracestate: 'a=b',
      b3: '0',
      'x-b3-traceid': 't',
      'x-b3-spanid': 's',
      'x-b3-parentspanid': 'p',
      'x-b3-sampled': '1',
      'x-b3-flags': '0',
      'x-ot-span-context': 'o',
      'end-user': 'someone',
      'user-agent': 'test',
      cookie: 'a=b',
      authorization: 'Bearer t',
    };
    await pageOf(url, { ...handed, 'x-secret': 'no' });
    expect(stub.seen[0]?.headers).toMatchObject(handed);
    expect(stub.seen[0]?.headers['x-secret']).toBeUndefined();
  });

  it('keeps connections to the services below', async () => {
    const stub = await bed.stub({ body: { reviews: [] } });
    const url = await bookinfo('v1', { reviews: stub.url });
    for (let n = 0; n < 3; n++) await pageOf(url);
    expect(new Set(stub.seen.map(({ socket }) => socket)).size).toBe(1);
  });
});

describe('the teaching defects', () => {
  it('are those of the original', () => {
    expect(TIMEOUTS).toMatchObject({
      details: 3_000,
      reviews: 3_000,
      reviewsTries: 2,
      ratings: { v2: 10_000, v3: 2_500 },
      slowRating: 7_000,
    });
  });

  it('v2 waits for slow ratings longer than productpage waits for it: two tries, and the reviews are lost', async () => {
    const slow = await bed.stub({ body: { ratings: {} }, afterMs: FAST.slowRating });
    const began = performance.now();
    expect(await pageOf(await bookinfo('v2', { ratings: slow.url }))).toContain('Error fetching product reviews!');
    expect(performance.now() - began).toBeGreaterThanOrEqual(2 * FAST.reviews - 5);
    expect(slow.seen).toHaveLength(2);
  });

  it('v3 gives up first: the reviews are shown without stars', async () => {
    const slow = await bed.stub({ body: { ratings: {} }, afterMs: FAST.slowRating });
    const html = await pageOf(await bookinfo('v3', { ratings: slow.url }));
    expect(html).toContain('Ratings service is currently unavailable');
    expect(html).not.toContain('Error fetching');
  });

  it('failing reviews are asked twice', async () => {
    const failing = await bed.stub({ status: 503 });
    await pageOf(await bookinfo('v1', { reviews: failing.url }));
    expect(failing.seen).toHaveLength(2);
  });
});

describe('the API', () => {
  it('products, and one with its reviews and ratings', async () => {
    const url = await bookinfo('v2');
    const get = async (path: string): Promise<unknown> => (await fetch(`${url}/api/v1/products${path}`)).json();
    expect(await get('')).toMatchObject([{ id: 0, title: 'The Comedy of Errors' }]);
    expect(await get('/0')).toMatchObject({ id: 0, author: 'William Shakespeare' });
    expect(await get('/0/reviews')).toMatchObject({ id: '0', reviews: [{ rating: { stars: 5, color: 'black' } }, {}] });
    expect(await get('/0/ratings')).toEqual({ id: 0, ratings: { Reviewer1: 5, Reviewer2: 4 } });
  });

  it("passes the callee's status; 500 when none answers", async () => {
    const failing = await bed.stub({ status: 503 });
    const url = await bookinfo('v1', { details: failing.url, reviews: failing.url, ratings: NOWHERE });
    const status = async (path: string): Promise<number> => (await fetch(`${url}/api/v1/products/${path}`)).status;
    expect(await Promise.all(['0', '0/reviews', '0/ratings'].map(status))).toEqual([503, 503, 500]);
    expect(await (await fetch(`${await bookinfo('v1')}/api/v1/products/x`)).status).toBe(400);
  });
});

describe('the other services', () => {
  it('have a health, and answer HEAD', async () => {
    const parts = { version: 'v1', ratingsUrl: NOWHERE, podName: 'p', timeouts: FAST };
    const apps = [details(), reviews(parts), ratings(parts), productpage({ ...parts, detailsUrl: '', reviewsUrl: '' })];
    for (const app of apps) {
      const url = await bed.serve(app);
      expect((await fetch(`${url}/health`)).status).toBe(200);
      expect((await fetch(`${url}/health`, { method: 'HEAD' })).status).toBe(200);
    }
  });

  it('ratings remembers what was posted, and refuses what is none', async () => {
    const url = await bed.serve(ratings({ version: 'v1', timeouts: FAST }));
    const post = (body: string): Promise<Response> =>
      fetch(`${url}/ratings/0`, { method: 'POST', body, headers: { 'content-type': 'application/json' } });
    expect(await (await post('{"Reviewer1":1}')).json()).toEqual({ id: 0, ratings: { Reviewer1: 1 } });
    expect(await (await fetch(`${url}/ratings/0`)).json()).toEqual({ id: 0, ratings: { Reviewer1: 1 } });
    for (const body of ['[]', '{"Reviewer1":"<b>"}', '{"Reviewer1":-1}', '{'])
      expect((await post(body)).status).toBe(400);
    expect((await fetch(`${url}/ratings/x`)).status).toBe(400);
  });

  it.each([
    ['v-faulty', 0.4, 503],
    ['v-faulty', 0.6, 200],
    ['v1', 0.4, 200],
  ])('ratings %s with luck %d: %d', async (version, luck, status) => {
    const url = await bed.serve(ratings({ version, timeouts: FAST, random: () => luck }));
    expect((await fetch(`${url}/ratings/0`)).status).toBe(status);
  });

  it('ratings v-delayed keeps half of the callers waiting', async () => {
    const url = await bed.serve(ratings({ version: 'v-delayed', timeouts: FAST, random: () => 0.4 }));
    const began = performance.now();
    expect((await fetch(`${url}/ratings/0`)).status).toBe(200);
    expect(performance.now() - began).toBeGreaterThanOrEqual(FAST.slowRating - 5);
  });
});
