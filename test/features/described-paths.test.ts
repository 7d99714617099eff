import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../support/policy-bed.js';

const FLAVORS = ['istio', 'consul'] as const;
const beds = {} as Record<(typeof FLAVORS)[number], PolicyBed>;

beforeAll(async () => {
  for (const flavor of FLAVORS) beds[flavor] = await policyBed(flavor, { reviews: (_, response) => response.end() });
});
afterEach(async () => {
  for (const flavor of FLAVORS) await beds[flavor].reset();
});
afterAll(async () => {
  for (const flavor of FLAVORS) await beds[flavor].close();
});

const DENY: Record<(typeof FLAVORS)[number], string> = {
  istio: `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a }
spec: { action: DENY, rules: [ { to: [ { operation: { paths: [ /admin, /admin/* ] } } ] } ] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec:
  hosts: [ reviews ]
  http:
  - match: [ { uri: { prefix: /old } } ]
    rewrite: { uri: /admin }
    route: [ { destination: { host: reviews } } ]
  - route: [ { destination: { host: reviews } } ]
`,
  consul: `apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceIntentions
metadata: { name: reviews }
spec: { sources: [ { name: web, permissions: [ { action: deny, http: { pathPrefix: /admin } } ] } ] }
---
apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceRouter
metadata: { name: reviews }
spec: { routes: [ { match: { http: { pathPrefix: /old } }, destination: { prefixRewrite: /admin } } ] }
`,
};

/** What a described request would be answered; the app answers 200. */
async function described(bed: PolicyBed, path: string): Promise<number> {
  const told = JSON.stringify(await bed.mesh.client.call('explainRequest', { from: 'web', to: 'reviews', path }));
  return Number(/\b(403|400)\b/.exec(told)?.[1] ?? 200);
}

const PATHS = [
  '/',
  '/admin',
  '//admin',
  '/x/../admin',
  '/./admin/a',
  '/%61dmin',
  '/x%2f..%2fadmin',
  '/old/a',
  '/older',
  '//old/a',
  '/administrators',
  '/../admin',
  '/%00',
];

describe.each(FLAVORS)('%s: what is told of a path is what becomes of it', (flavor) => {
  it.each(PATHS)('%s', async (path) => {
    await beds[flavor].apply(DENY[flavor]);
    const { status } = await beds[flavor].call('reviews', path);
    expect(await described(beds[flavor], path)).toBe(status);
  });
});

it('is not the same of all paths', async () => {
  await beds.istio.apply(DENY.istio);
  const statuses = await Promise.all(PATHS.map(async (path) => (await beds.istio.call('reviews', path)).status));
  expect([...new Set(statuses)].sort()).toEqual([200, 400, 403]);
});
