import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { OUTSIDER, type PolicyBed, policyBed } from '../support/policy-bed.js';

/**
 * Where the meshes differ: the same wish in each dialect, and what comes of it. `gateway` is the Gateway API as Istio obeys
 * it.
 */
type Dialect = 'istio' | 'gateway' | 'linkerd' | 'consul';
const DIALECTS: readonly Dialect[] = ['istio', 'gateway', 'linkerd', 'consul'];

let asked: Record<string, number> = {};
const app =
  (name: string, status = 200): RequestListener =>
  ({ url }, response) => {
    asked[name] = (asked[name] ?? 0) + 1;
    response.statusCode = status;
    response.end(`${name} ${url}`);
  };

const beds: Partial<Record<string, PolicyBed>> = {};
const FLAVORS = ['istio', 'istio@1.23', 'linkerd', 'consul'];
const bedOf = (dialect: string): PolicyBed => beds[dialect === 'gateway' ? 'istio' : dialect] as PolicyBed;

beforeAll(async () => {
  for (const flavor of FLAVORS)
    beds[flavor] = await policyBed(flavor, {
      reviews: app('reviews'),
      canary: app('canary'),
      broken: app('broken', 503),
      batch: app('batch'),
      [OUTSIDER]: app(OUTSIDER),
    });
});
afterEach(async () => {
  asked = {};
  for (const flavor of FLAVORS) await beds[flavor]?.reset();
});
afterAll(async () => {
  for (const bed of Object.values(beds)) await bed?.close();
});

interface Rule {
  /** Paths; `Exact` for `=/path`. */
  readonly path: string;
  readonly to?: string;
  readonly more?: string;
}

/** The same rules about a Service, in the words of a dialect. */
function routes(dialect: Dialect, rules: readonly Rule[], name = 'reviews'): string {
  const parts = rules.map(({ path, to = 'canary', more = '' }) => {
    const exact = path.startsWith('=');
    const value = exact ? path.slice(1) : path;
    switch (dialect) {
      case 'istio':
        return `{ match: [ { uri: { ${exact ? 'exact' : 'prefix'}: ${value} } } ], ${more.includes('redirect') ? '' : `route: [ { destination: { host: ${to} } } ], `}${more} }`;
      case 'consul':
        return `{ match: { http: { ${exact ? 'pathExact' : 'pathPrefix'}: ${value} } }, destination: { service: ${to}${more === '' ? '' : `, ${more}`} } }`;
      default:
        return `{ matches: [ { path: { type: ${exact ? 'Exact' : 'PathPrefix'}, value: ${value} } } ], ${more.includes('RequestRedirect') ? '' : `backendRefs: [ { name: ${to}, port: 9080 } ], `}${more} }`;
    }
  });
  const all = `[ ${parts.join(', ')} ]`;
  const object = (apiVersion: string, kind: string, spec: string): string =>
    `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}`;
  const parent = "{ group: '', kind: Service, name: reviews, port: 9080 }";
  switch (dialect) {
    case 'istio':
      return object('networking.istio.io/v1', 'VirtualService', `{ hosts: [ reviews ], http: ${all} }`);
    case 'gateway':
      return object('gateway.networking.k8s.io/v1', 'HTTPRoute', `{ parentRefs: [ ${parent} ], rules: ${all} }`);
    case 'linkerd':
      return object('policy.linkerd.io/v1beta3', 'HTTPRoute', `{ parentRefs: [ ${parent} ], rules: ${all} }`);
    case 'consul':
      return object('consul.hashicorp.com/v1alpha1', 'ServiceRouter', `{ routes: ${all} }`);
  }
}

async function answered(dialect: string, path: string): Promise<string> {
  const { status, body } = await bedOf(dialect).call('reviews', path);
  return status === 200 ? (body.split(' ')[0] ?? '') : String(status);
}

/** What each dialect is expected to give, row by row. */
function row(
  title: string,
  expected: Partial<Record<Dialect, unknown>>,
  ask: (dialect: Dialect) => Promise<unknown>,
): void {
  describe(title, () => {
    it.each(DIALECTS.filter((dialect) => dialect in expected))('%s', async (dialect) => {
      expect(await ask(dialect)).toEqual(expected[dialect]);
    });
  });
}

row(
  '1: the prefix /v2 and /v2example',
  { istio: 'canary', gateway: '404', linkerd: '404', consul: 'canary' },
  async (dialect) => {
    await bedOf(dialect).apply(routes(dialect, [{ path: '/v2' }]));
    expect(await answered(dialect, '/v2/x')).toBe('canary');
    return answered(dialect, '/v2example');
  },
);

row(
  '2: the first rule or the most specific one',
  { istio: 'batch', gateway: 'canary', linkerd: 'canary', consul: 'batch' },
  async (dialect) => {
    await bedOf(dialect).apply(routes(dialect, [{ path: '/', to: 'batch' }, { path: '=/exact' }]));
    return answered(dialect, '/exact');
  },
);

row('3: no rule is met', { istio: '404', gateway: '404', linkerd: '404', consul: 'reviews' }, async (dialect) => {
  await bedOf(dialect).apply(routes(dialect, [{ path: '/only' }]));
  return answered(dialect, '/other');
});

row('4: retries that nobody asked for', { istio: 2, linkerd: 0, consul: 0 }, async (dialect) => {
  const services = await bedOf(dialect).mesh.client.call('services', {});
  const reviews = services.find(({ name }) => name === 'reviews');
  expect(reviews).toBeDefined();
  return reviews?.retries?.attempts ?? 0;
});

describe('5: a 503 is retried', () => {
  it.each([
    ['istio', 1],
    ['istio@1.23', 3],
    ['linkerd', 1],
    ['consul', 1],
  ])('%s asks %i times', async (flavor, times) => {
    expect((await bedOf(flavor).call('broken')).status).toBe(503);
    expect(asked.broken).toBe(times);
  });
});

row('6: two is the number of retries, not of tries', { istio: 3, linkerd: 3, consul: 3 }, async (dialect) => {
  const words = { istio: 'retries: { attempts: 2, retryOn: 5xx }', consul: 'numRetries: 2, retryOn: [ 5xx ]' };
  const text = routes(dialect, [{ path: '/', to: 'broken', more: words[dialect as 'istio'] ?? '' }]);
  const annotations = 'annotations: { retry.linkerd.io/http: 5xx, retry.linkerd.io/limit: "2" }';
  await bedOf(dialect).apply(
    dialect === 'linkerd' ? text.replace('name: reviews }', `name: reviews, ${annotations} }`) : text,
  );
  await answered(dialect, '/');
  return asked.broken;
});

row('7: how long a request may take, ms', { istio: null, linkerd: null, consul: 15_000 }, async (dialect) => {
  const services = await bedOf(dialect).mesh.client.call('services', {});
  return services.find(({ name }) => name === 'reviews')?.timeoutMs;
});

row('14: a redirect that says no status', { istio: 301, gateway: 302, linkerd: 302 }, async (dialect) => {
  const filter = 'filters: [ { type: RequestRedirect, requestRedirect: { hostname: other } } ]';
  const more = dialect === 'istio' ? 'redirect: { authority: other }' : filter;
  await bedOf(dialect).apply(routes(dialect, [{ path: '/', more }]));
  return (await bedOf(dialect).call('reviews')).status;
});

row(
  '15: a backend that is not there',
  { istio: '503', gateway: '500', linkerd: '500', consul: '503' },
  async (dialect) => {
    await bedOf(dialect).apply(routes(dialect, [{ path: '/', to: 'nowhere' }]));
    return answered(dialect, '/');
  },
);

const FIRST_ALLOW: Partial<Record<Dialect, string>> = {
  istio: `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a }
spec: { selector: { matchLabels: { app: reviews } }, rules: [ { from: [ { source: { principals: [ cluster.local/ns/default/sa/web ] } } ] } ] }`,
  linkerd: `apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: { name: reviews }
spec: { podSelector: { matchLabels: { app: reviews } }, port: 9080 }
---
apiVersion: policy.linkerd.io/v1alpha1
kind: AuthorizationPolicy
metadata: { name: a }
spec: { targetRef: { group: policy.linkerd.io, kind: Server, name: reviews }, requiredAuthenticationRefs: [ { kind: ServiceAccount, name: web } ] }`,
  consul: `apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceIntentions
metadata: { name: reviews }
spec: { destination: { name: reviews }, sources: [ { name: web, action: allow } ] }`,
};

row(
  '16 and 17: after the first that lets web in, batch is',
  { istio: 403, linkerd: 403, consul: 200 },
  async (dialect) => {
    const bed = bedOf(dialect);
    await bed.apply(FIRST_ALLOW[dialect] ?? '');
    expect((await bed.call('reviews')).status).toBe(200);
    return (await bed.call('reviews', '/', { from: 'batch' })).status;
  },
);

row(
  '18: two objects about one Service: the newer’s rule',
  { istio: '404', gateway: 'canary', linkerd: 'canary' },
  async (dialect) => {
    await bedOf(dialect).apply(routes(dialect, [{ path: '/a', to: 'batch' }], 'older'));
    await bedOf(dialect).apply(routes(dialect, [{ path: '/b' }], 'newer'));
    expect(await answered(dialect, '/a')).toBe('batch');
    return answered(dialect, '/b');
  },
);

// A callee's sidecar joins slashes, so that an app without one is asked.
row('28: /api is rewritten to /', { istio: '//v1', gateway: '/v1', consul: '//v1' }, async (dialect) => {
  const words: Partial<Record<Dialect, string>> = {
    istio: 'rewrite: { uri: / }',
    gateway:
      'filters: [ { type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: / } } } ]',
    consul: 'prefixRewrite: /',
  };
  await bedOf(dialect).apply(routes(dialect, [{ path: '/api', to: OUTSIDER, more: words[dialect] ?? '' }]));
  return (await bedOf(dialect).call('reviews', '/api/v1')).body.split(' ')[1];
});
