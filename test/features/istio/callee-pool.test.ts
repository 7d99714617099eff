import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';
import { until } from '../../support/until.js';

let bed: PolicyBed;
/** Requests that the app has not answered. */
const held: ServerResponse[] = [];

beforeAll(async () => {
  bed = await policyBed('istio', {
    reviews: (request, response) => {
      if (request.url === '/held') held.push(response);
      else response.end('ok');
    },
    other: (_, response) => response.end(),
  });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const rule = (settings: string): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews, trafficPolicy: ${settings} }`;
const ONE = '{ connectionPool: { http: { http2MaxRequests: 1 } } }';

/** What another caller is answered while the app is busy with a request of web's. */
async function whileBusy(): Promise<number> {
  const first = bed.call('reviews', '/held');
  await until(() => held.length === 1, 'the app has the first request');
  const { status } = await bed.call('reviews', '/', { from: 'other' });
  held.pop()?.end('ok');
  expect((await first).status).toBe(200);
  return status;
}

describe('a connection pool', () => {
  it('holds at the callee for all callers together', async () => {
    expect(await whileBusy()).toBe(200);
    await bed.apply(rule(ONE));
    expect(await whileBusy()).toBe(503);
    await until(async () => {
      const records = await bed.mesh.client.call('exchanges', { to: 'reviews' });
      return records.some(({ reporter, failure }) => reporter.direction === 'inbound' && failure === 'overflow');
    }, 'the callee tells of it');
    await bed.reset();
    expect(await whileBusy()).toBe(200);
  });

  it('of another port does not', async () => {
    await bed.apply(rule(`{ portLevelSettings: [ { port: { number: 9081 }, ${ONE.slice(1, -1)} } ] }`));
    expect(await whileBusy()).toBe(200);
    await bed.apply(rule(`{ portLevelSettings: [ { port: { number: 9080 }, ${ONE.slice(1, -1)} } ] }`));
    expect(await whileBusy()).toBe(503);
  });

  it('is told by diff', async () => {
    const files = [{ name: 'p.yaml', text: rule(ONE) }];
    const { differences } = await bed.mesh.client.call('diffResources', { files });
    expect(differences.find(({ about }) => about === 'callers of reviews')?.text).toBe(
      'on port 9080 all of them together: without limit → maxRequests 1',
    );
  });
});
