import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';
import { until } from '../../support/until.js';

let bed: PolicyBed;

beforeAll(async () => {
  const app = (name: string) => (_: unknown, response: { end: (text: string) => void }) => response.end(name);
  bed = await policyBed('istio', { reviews: app('reviews') as never, ratings: app('ratings') as never });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const gateway = (name: string, selector: string, hosts: string) => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: ${name} }
spec: { selector: { ${selector} }, servers: [ { port: { number: 80, name: http, protocol: HTTP }, hosts: [ ${hosts} ] } ] }
`;
const service = (
  gateways: string,
  host: string,
  to: string,
  namespace = 'default',
) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${to}, namespace: ${namespace} }
spec: { hosts: [ "${host}" ], gateways: [ ${gateways} ], http: [ { match: [ { uri: { prefix: /a } } ], route: [ { destination: { host: ${to}.default.svc.cluster.local, port: { number: 9080 } } } ] } ] }
`;

/** What the gateway answers. */
async function enters(host: string, path = '/a'): Promise<string> {
  const { hostname, port } = new URL(bed.mesh.gatewayUrl);
  const { status, body } = await bed.ask(`http://${hostname}:${port}`, path, { headers: { host } });
  return status === 200 ? body : String(status);
}

describe('a Gateway', () => {
  it('that selects another gateway is told, binds nothing and takes nothing away', async () => {
    const before = await enters('a.test', '/');
    const told = await bed.apply(
      gateway('egress', 'istio: egressgateway', 'a.test'),
      service('egress', 'a.test', 'reviews'),
    );
    expect(told).toContain('MS0001');
    expect(await enters('a.test', '/')).toBe(before);
    await bed.apply(gateway('ingress', 'istio: ingressgateway', 'b.test'), service('ingress', 'b.test', 'ratings'));
    expect([await enters('a.test'), await enters('b.test')]).toEqual(['404', 'ratings']);
  });

  it('that serves a host for a namespace binds routes of that namespace alone', async () => {
    await bed.apply(
      gateway('g', 'istio: ingressgateway', 'other/a.test, ./b.test, "*/c.test"'),
      service('g', 'a.test', 'reviews'),
    );
    expect(await enters('a.test')).toBe('404');
    await bed.apply(service('default/g', 'a.test', 'ratings', 'other'));
    expect(await enters('a.test')).toBe('ratings');
    await bed.apply(service('g', 'b.test', 'reviews'));
    expect(await enters('b.test')).toBe('reviews');
    await bed.apply(service('g', 'c.test', 'reviews'));
    expect(await enters('c.test')).toBe('reviews');
  });

  it('of any host is followed by who only asks what would happen', async () => {
    await bed.apply(gateway('g', 'istio: ingressgateway', '"*"'), service('g', '*', 'reviews'));
    const told = async (path: string) =>
      JSON.stringify(await bed.mesh.client.call('explainRequest', { from: 'gateway', to: 'shop.test', path }));
    expect([await enters('shop.test', '/a'), await enters('shop.test', '/b')]).toEqual(['reviews', '404']);
    expect(await told('/a')).toContain('reviews');
    expect(await told('/b')).toContain('404');
  });
});

describe('what is told of a request that enters', () => {
  const ROUTED = [gateway('g', 'istio: ingressgateway', '"*"'), service('g', '*', 'reviews')];
  const KEPT_OUT = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ingress, namespace: istio-system }
spec: { selector: { matchLabels: { app: istio-ingressgateway } }, action: DENY, rules: [ { to: [ { operation: { paths: [ /kept ] } } ] } ] }
`;

  /** What the gateway recorded of a request to a path that is asked once, and how that is explained. */
  async function told(path: string) {
    await enters('shop.test', path);
    let id = '';
    let to = '';
    await until(async () => {
      const found = (await bed.mesh.client.call('exchanges', { limit: 500 })).find(
        ({ request, reporter }) => reporter.workload === 'gateway' && request.path === path,
      );
      [id, to] = [found?.requestId ?? '', found?.destination.service ?? ''];
      return found !== undefined;
    }, `the record of ${path}`);
    const { steps, verdict } = await bed.mesh.client.call('explain', { id });
    return { to, first: steps[0]?.text, verdict };
  }

  it('names the service that it is for, not the host by which it came', async () => {
    await bed.apply(...ROUTED);
    const { to, first } = await told('/a/named');
    expect(to).toBe('reviews');
    expect(first).toMatch(/^gateway asked reviews for GET \/a\/named, over mutual TLS/);
    await until(
      async () => (await bed.mesh.client.call('edges', {})).some(({ service: name }) => name === 'reviews'),
      'an edge',
    );
  });

  it('is that it went no further, where no rule is met', async () => {
    await bed.apply(...ROUTED);
    const { to, first, verdict } = await told('/nowhere');
    expect([to, first]).toEqual(['', 'gateway was asked for GET /nowhere, which went no further']);
    expect(verdict).toBe('Configuration: no route matched the request for shop.test.');
  });

  it('is whose policy it was, where it is kept out, and that is no call of a service', async () => {
    await bed.apply(...ROUTED, KEPT_OUT);
    const { to, first, verdict } = await told('/kept');
    expect([to, first]).toEqual(['', 'gateway was asked for GET /kept, which went no further']);
    expect(verdict).toBe('Policy of gateway: the authorization policies of gateway do not let this caller do this.');
    const edges = await bed.mesh.client.call('edges', {});
    expect(edges.filter(({ service: name }) => name === '' || name === '*')).toEqual([]);
  });
});

describe('what would become of a request that enters', () => {
  const INGRESS = `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ingress, namespace: istio-system }
spec: { selector: { matchLabels: { app: istio-ingressgateway } }, action: DENY, rules: [ { to: [ { operation: { paths: [ /a/kept ] } } ] } ] }
`;

  it.each([
    [
      'a.test',
      '/a/kept',
      403,
      'Policy of gateway: the authorization policies of gateway do not let this caller do this.',
    ],
    ['a.test', '/a', 200, ''],
    ['a.test', '/b', 404, 'Configuration: no route matched the request for a.test.'],
    ['other.test', '/a', 404, 'Configuration: no route matched the request for other.test.'],
  ])('to %s%s is told as what becomes of it: %i', async (host, path, status, expected) => {
    await bed.apply(gateway('g', 'istio: ingressgateway', 'a.test'), service('g', 'a.test', 'reviews'), INGRESS);
    const { verdict, summary } = await bed.mesh.client.call('explainRequest', { from: 'gateway', to: host, path });
    expect(verdict).toBe(expected);
    expect(summary).toContain(status === 200 ? 'would go to reviews' : `would be answered ${status} by the mesh`);
    expect(await enters(host, path)).toBe(status === 200 ? 'reviews' : String(status));
  });
});

describe('what holds at the gateway as it does in the namespace where it runs', () => {
  const INGRESS = gateway('g', 'istio: ingressgateway', '"*"');
  const bound = (name: string, http: string, more = '') => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name} }
spec: { hosts: [ a.test ], gateways: [ g ], http: [ ${http} ]${more} }
`;
  const to = (name: string, match: string) =>
    `{ match: [ ${match} ], route: [ { destination: { host: ${name}, port: { number: 9080 } } } ] }`;

  it.each([
    ['labels that it has not', '{ sourceLabels: { app: nobody } }', 'ratings'],
    ['its labels', '{ sourceLabels: { istio: ingressgateway } }', 'reviews'],
    ['another namespace', '{ sourceNamespace: default }', 'ratings'],
    ['its namespace', '{ sourceNamespace: istio-system }', 'reviews'],
    [
      'labels beside its name, which are not looked at',
      '{ gateways: [ g ], sourceLabels: { app: nobody } }',
      'reviews',
    ],
    ['a port that it does not serve', '{ port: 8080 }', 'ratings'],
    ['the port of its server', '{ port: 80 }', 'reviews'],
  ])('a match on %s', async (_, match, first) => {
    await bed.apply(INGRESS, bound('a', `${to('reviews', match)}, ${to('ratings', '{ uri: { prefix: / } }')}`));
    expect(await enters('a.test')).toBe(first);
  });

  it.each([
    ['[ "." ]', '404'],
    ['[ shop ]', '404'],
    ['[ ".", istio-system ]', 'reviews'],
    ['[ "*" ]', 'reviews'],
  ])('exportTo: %s', async (exportTo, answer) => {
    await bed.apply(INGRESS, bound('a', to('reviews', '{ uri: { prefix: / } }'), `, exportTo: ${exportTo}`));
    expect(await enters('a.test')).toBe(answer);
  });

  it.each([
    ['[ "." ]', '503'],
    ['[ "*" ]', 'reviews'],
  ])('a DestinationRule, exportTo: %s', async (exportTo, answer) => {
    const rule = (name: string, namespace: string, host: string, spec: string) =>
      `apiVersion: networking.istio.io/v1\nkind: DestinationRule\nmetadata: { name: ${name}, namespace: ${namespace} }\nspec: { host: "${host}", ${spec} }`;
    await bed.apply(
      INGRESS,
      bound(
        'a',
        '{ route: [ { destination: { host: reviews.default.svc.cluster.local, subset: v1, port: { number: 9080 } } } ] }',
      ),
      rule(
        'reviews',
        'default',
        'reviews',
        `subsets: [ { name: v1, labels: { version: v1 } } ], exportTo: ${exportTo}`,
      ),
      // What is said for all goes behind what the service's namespace says, for who lives there too.
      rule('all', 'istio-system', '*.local', 'trafficPolicy: { connectionPool: { tcp: { maxConnections: 7 } } }'),
    );
    expect(await enters('a.test')).toBe(answer);
  });

  it('a Sidecar is about sidecars alone', async () => {
    await bed.apply(
      INGRESS,
      bound('a', to('reviews', '{ uri: { prefix: / } }')),
      'apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: default }\nspec: { egress: [ { hosts: [ "./ratings.default.svc.cluster.local" ] } ] }',
      'apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: all, namespace: istio-system }\nspec: { egress: [ { hosts: [ "~/*" ] } ] }',
    );
    expect(await enters('a.test')).toBe('reviews');
    expect((await bed.call('reviews')).status).not.toBe(200);
    expect((await bed.call('ratings')).status).toBe(200);
  });
});

describe('a policy for other origins', () => {
  const cors = 'corsPolicy: { allowOrigins: [ { exact: https://shop.test } ], allowMethods: [ GET ] }';
  const route = (http: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: reviews }
spec: { hosts: [ reviews ], http: [ ${http} ] }
`;
  const origin = { origin: 'https://shop.test' };

  it.each([
    ['a direct response', 'directResponse: { status: 418 }', 418],
    ['a redirect', 'redirect: { uri: /b }', 301],
  ])('has no effect beside %s, as observed, and that is told', async (_, what, status) => {
    expect(await bed.apply(route(`{ ${what}, ${cors} }`))).toEqual(['MS0001']);
    const asked = { ...origin, 'access-control-request-method': 'GET' };
    for (const init of [{ headers: origin }, { method: 'OPTIONS', headers: asked }]) {
      const answer = await bed.call('reviews', '/a', init);
      expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([status, undefined]);
    }
  });

  it('has none beside the redirect of an HTTPRoute', async () => {
    const told = await bed.apply(`apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: reviews }
spec:
  parentRefs: [ { group: '', kind: Service, name: reviews, port: 9080 } ]
  rules: [ { filters: [ { type: CORS, cors: { allowOrigins: [ https://shop.test ] } }, { type: RequestRedirect, requestRedirect: { hostname: b.test } } ] } ]
`);
    expect(told).toEqual(['MS0001']);
    const answer = await bed.call('reviews', '/a', { headers: origin });
    expect([answer.status, answer.headers['access-control-allow-origin']]).toEqual([302, undefined]);
  });
});

describe('HTTP and HTTPS of one host', () => {
  const listeners = (https: string) => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: edge }
spec:
  gatewayClassName: istio
  listeners:
  - { name: http, port: 80, protocol: HTTP }
  - { name: https, port: 443, protocol: HTTPS, ${https} tls: { certificateRefs: [ { name: c } ] } }
`;
  const route = (name: string, section: string, rule: string) => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name} }
spec: { hostnames: [ a.test ], parentRefs: [ { name: edge, sectionName: ${section} } ], rules: [ ${rule} ] }
`;
  const upgrade = (more = '') =>
    `{ filters: [ { type: RequestRedirect, requestRedirect: { scheme: https, statusCode: 301${more} } } ] }`;
  const app = '{ backendRefs: [ { name: reviews, port: 9080 } ] }';

  it('are one port here, so that a redirect to the other is left out, and told', async () => {
    const told = await bed.apply(listeners(''), route('a-redirect', 'http', upgrade()), route('b-app', 'https', app));
    expect(await enters('a.test')).toBe('reviews');
    // The listener and the redirect.
    expect(told).toEqual(['MS0001', 'MS0001']);
  });

  it('stay apart where the other serves another host, or nothing, or the redirect leads elsewhere', async () => {
    await bed.apply(listeners('hostname: b.test,'), route('a-redirect', 'http', upgrade()));
    expect(await enters('a.test')).toBe('301');
    await bed.apply(
      listeners(''),
      route('a-redirect', 'http', upgrade(', hostname: www.test')),
      route('b-app', 'https', app),
    );
    expect(await enters('a.test')).toBe('301');
  });

  it('are one port for Gateways of Istio too', async () => {
    const server = (name: string, number: number, protocol: string) =>
      `{ port: { number: ${number}, name: ${name}, protocol: ${protocol} }, hosts: [ a.test ]${protocol === 'HTTPS' ? ', tls: { mode: SIMPLE, credentialName: c }' : ''} }`;
    const of = (name: string, servers: string) =>
      `apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: { name: ${name} }\nspec: { selector: { istio: ingressgateway }, servers: [ ${servers} ] }`;
    const told = await bed.apply(
      of('plain', server('http', 80, 'HTTP')),
      of('secure', server('https', 443, 'HTTPS')),
      'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: a }\nspec: { hosts: [ a.test ], gateways: [ plain ], http: [ { redirect: { scheme: https } } ] }',
      service('secure', 'a.test', 'ratings'),
    );
    expect(told).toEqual(['MS0001', 'MS0001']);
    expect(await enters('a.test')).toBe('ratings');
  });
});
