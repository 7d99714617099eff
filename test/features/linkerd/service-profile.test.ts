import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { document, httpRoute, type LinkerdBed, linkerdBed } from './bed.js';

let bed: LinkerdBed;
const asked = new Map<string, number>();

beforeAll(async () => {
  bed = await linkerdBed({
    books: (request, response) => {
      const path = request.url ?? '';
      const tries = (asked.get(path) ?? 0) + 1;
      asked.set(path, tries);
      const answer = (): void => {
        request.resume();
        const [, status, fine = 'never'] = /^\/(\d{3})(?:-until-(\d))?/.exec(path) ?? [];
        response.statusCode = tries >= Number(fine) ? 200 : Number(status ?? 200);
        response.end('books');
      };
      if (path === '/slow') setTimeout(answer, 1_200);
      else answer();
    },
    books2: (_, response) => response.end('books2'),
  });
});
afterEach(() => {
  asked.clear();
  return bed.reset();
});
afterAll(() => bed.close());

const profile = (routes: string, more = ''): string =>
  document(
    'linkerd.io/v1alpha2',
    'ServiceProfile',
    'books.default.svc.cluster.local',
    '{}',
    `{ routes: ${routes}${more} }`,
  );
const GENEROUS = ', retryBudget: { retryRatio: 1, minRetriesPerSecond: 100, ttl: 10s }';
const GET = '{ name: get, condition: { method: GET, pathRegex: "/[0-9].*" }, isRetryable: true }';

async function tried(
  path: string,
  init: Parameters<LinkerdBed['call']>[2] = {},
): Promise<[status: number, tries: number]> {
  const { status } = await bed.call('books', path, init);
  return [status, asked.get(path) ?? 0];
}

describe('B-130: ServiceProfile', () => {
  it('retries what its route allows, as often as the budget has room', async () => {
    await bed.apply(profile(`[ ${GET} ]`, GENEROUS));
    expect(await tried('/503-until-3')).toEqual([200, 3]);
  });

  it('does not retry what no route of it meets, or a route that does not say so', async () => {
    await bed.apply(profile(`[ ${GET}, { name: post, condition: { method: POST } } ]`, GENEROUS));
    expect(await tried('/503-until-3', { method: 'PUT' })).toEqual([503, 1]);
    expect(await tried('/502-until-3', { method: 'POST' })).toEqual([502, 1]);
  });

  it('does not retry a body that is too long', async () => {
    const post = '{ name: post, condition: { method: POST }, isRetryable: true }';
    await bed.apply(profile(`[ ${post} ]`, GENEROUS));
    expect(await tried('/503-until-2', { method: 'POST', body: 'x' })).toEqual([200, 2]);
    expect(await tried('/502-until-2', { method: 'POST', body: 'x'.repeat(64 * 1024 + 1) })).toEqual([502, 1]);
  });

  it('uses up its budget, and does not retry without one', async () => {
    await bed.apply(profile(`[ ${GET} ]`, ', retryBudget: { retryRatio: 0, minRetriesPerSecond: 0, ttl: 10s }'));
    expect(await tried('/503-until-2')).toEqual([503, 1]);
    await bed.apply(profile(`[ ${GET} ]`, ', retryBudget: { retryRatio: 0, minRetriesPerSecond: 1, ttl: 10s }'));
    const [status, tries] = await tried('/500');
    expect(status).toBe(500);
    expect(tries).toBeGreaterThan(1);
    expect(tries).toBeLessThan(15);
  });

  it('ends a request at the time of its route, with 504', async () => {
    await bed.apply(profile('[ { name: slow, condition: { pathRegex: /slow }, timeout: 400ms } ]'));
    expect(await tried('/slow')).toEqual([504, 1]);
  });

  it('takes for failures what its response classes say', async () => {
    const classes =
      '[ { condition: { status: { min: 404, max: 404 } }, isFailure: true }, { condition: { status: { min: 500 } }, isFailure: false } ]';
    const route = `{ name: get, condition: { method: GET }, isRetryable: true, responseClasses: ${classes} }`;
    await bed.apply(profile(`[ ${route} ]`, GENEROUS));
    expect(await tried('/404-until-2')).toEqual([200, 2]);
    expect(await tried('/500-until-2')).toEqual([500, 1]);
  });

  it('sends what comes where dstOverrides say', async () => {
    await bed.apply(
      profile('[]', ', dstOverrides: [ { authority: "books2.default.svc.cluster.local:9080", weight: 1 } ]'),
    );
    expect((await bed.call('books')).body).toBe('books2');
    const halves = ['books', 'books2'].map(
      (name) => `{ authority: "${name}.default.svc.cluster.local:9080", weight: 500m }`,
    );
    await bed.apply(profile('[]', `, dstOverrides: [ ${halves.join(', ')} ]`));
    const found = new Set<string>();
    for (let i = 0; i < 40; i++) found.add((await bed.call('books')).body);
    expect([...found].sort()).toEqual(['books', 'books2']);
  });

  it('goes before an HTTPRoute of the same Service', async () => {
    const route = httpRoute('books', 'books', '[ { backendRefs: [ { name: books2, port: 9080 } ] } ]');
    await bed.apply(route);
    expect((await bed.call('books', '/200')).body).toBe('books2');
    await bed.apply(profile(`[ ${GET} ]`));
    expect((await bed.call('books', '/200')).body).toBe('books');
  });
});
