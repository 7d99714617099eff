import { expect } from 'vitest';
import { OUTSIDER } from '../../support/policy-bed.js';
import { until } from '../../support/until.js';
import { answered, asked, bedOf, type Dialect, hostOf, routes, row, startBeds } from './beds.js';

startBeds();

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

const HALVES: Readonly<Record<Dialect, string>> = {
  istio: `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec: { hosts: [ reviews ], http: [ { route: [ { destination: { host: canary }, weight: 3 }, { destination: { host: batch }, weight: 0 } ] } ] }`,
  gateway: `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: reviews }
spec: { parentRefs: [ { group: '', kind: Service, name: reviews, port: 9080 } ], rules: [ { backendRefs: [ { name: canary, port: 9080, weight: 3 }, { name: batch, port: 9080, weight: 0 } ] } ] }`,
  linkerd: `apiVersion: policy.linkerd.io/v1beta3
kind: HTTPRoute
metadata: { name: reviews }
spec: { parentRefs: [ { group: '', kind: Service, name: reviews, port: 9080 } ], rules: [ { backendRefs: [ { name: canary, port: 9080, weight: 3 }, { name: batch, port: 9080, weight: 0 } ] } ] }`,
  consul: `apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceSplitter
metadata: { name: reviews }
spec: { splits: [ { weight: 3, service: canary }, { weight: 0, service: batch } ] }`,
};

row(
  '11: weights that do not add up to 100',
  { istio: 'canary', gateway: 'canary', linkerd: 'canary', consul: 'refused' },
  async (dialect) => {
    const files = [{ name: 'halves.yaml', text: HALVES[dialect] }];
    const { applied } = await bedOf(dialect).mesh.client.call('applyResources', { files });
    if (!applied) return 'refused';
    for (let i = 0; i < 20; i++) expect(await answered(dialect, '/')).toBe('canary');
    return 'canary';
  },
);

// Where Istio obeys the Gateway API it is as where it obeys its own.
row(
  '13: reviews is called and Host says canary',
  { istio: 'canary', gateway: 'canary', linkerd: 'reviews', consul: 'reviews' },
  async (dialect) => {
    await bedOf(dialect).apply(routes(dialect, [{ path: '/', to: 'reviews' }]));
    const { body } = await bedOf(dialect).call('reviews', '/', { headers: { host: 'canary:9080' } });
    return body.split(' ')[0];
  },
);

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

// Observed on Istio's own translation, which leaves Envoy's `-shadow` away.
row(
  '26: the host that a copy of a request asks for',
  { istio: 'reviews:9080', gateway: 'reviews:9080' },
  async (dialect) => {
    const more =
      dialect === 'istio'
        ? 'mirror: { host: canary }'
        : 'filters: [ { type: RequestMirror, requestMirror: { backendRef: { name: canary, port: 9080 } } } ]';
    await bedOf(dialect).apply(routes(dialect, [{ path: '/', to: 'batch', more }]));
    expect(await answered(dialect, '/')).toBe('batch');
    await until(async () => asked['canary'] === 1, 'the copy arrives');
    return hostOf['canary'];
  },
);
