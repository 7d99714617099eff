import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { PolicyBed } from '../../support/policy-bed.js';
import { policyBed } from '../../support/policy-bed.js';
import { policy } from './bed.js';

let bed: PolicyBed;

beforeAll(async () => {
  const named = (name: string) => (_: unknown, response: { end: (text: string) => void }) => response.end(name);
  bed = await policyBed('linkerd', {
    reviews: named('reviews') as never,
    ratings: named('ratings') as never,
    slow: (_, response) => void setTimeout(() => response.end('slow'), 250),
    sick: (_, response) => {
      response.statusCode = 500;
      response.end();
    },
  });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const server = (spec: string, name = 's') => policy('Server', name, spec, 'v1beta3');
const both = async (to: string) => [(await bed.call(to)).status, await bed.callUnmeshed(to)];

describe('a route without backends', () => {
  it.each([
    ['policy.linkerd.io/v1beta3', 'Linkerd’s own'],
    ['gateway.networking.k8s.io/v1', 'the Gateway API’s'],
  ])('leads to its Service: %s', async (apiVersion) => {
    const route = (to: string, annotations = '{}') => `apiVersion: ${apiVersion}
kind: HTTPRoute
metadata: { name: ${to}, annotations: ${annotations} }
spec: { parentRefs: [ { name: ${to}, kind: Service, group: core, port: 9080 } ], rules: [ { matches: [ { path: { type: PathPrefix, value: / } } ] } ] }
`;
    await bed.apply(route('reviews'));
    expect((await bed.call('reviews')).body).toBe('reviews');
    // With Linkerd's own example of a timeout.
    await bed.apply(route('slow', '{ timeout.linkerd.io/request: 100ms }'));
    expect((await bed.call('slow')).status).toBe(504);
  });
});

describe('a Server by the name of a port', () => {
  const deployment = (name: string, port: number) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec: { selector: { matchLabels: { app: ${name} } }, template: { metadata: { labels: { app: ${name} } }, spec: { containers: [ { name: c, ports: [ { name: grpc, containerPort: ${port} } ] } ] } } }
`;

  it('goes by the pods that it chooses', async () => {
    await bed.apply(
      deployment('other', 7777),
      deployment('reviews', 9080),
      server('{ podSelector: { matchLabels: { app: reviews } }, port: grpc }'),
    );
    expect(await both('reviews')).toEqual([403, 403]);
    expect(await both('ratings')).toEqual([200, 200]);
  });

  it('that nobody has and that chooses everybody is about nothing', async () => {
    await bed.apply(server('{ podSelector: { matchLabels: {} }, port: linkerd-admin }'));
    expect([await both('reviews'), await both('ratings')]).toEqual([
      [200, 200],
      [200, 200],
    ]);
  });
});

describe('expressions of a selector', () => {
  it.each([
    ['{ key: app, operator: In, values: [ ratings ] }', [200, 403]],
    ['{ key: app, operator: NotIn, values: [ ratings ] }', [403, 200]],
    ['{ key: app, operator: Exists }', [403, 403]],
    ['{ key: nothing, operator: Exists }', [200, 200]],
    ['{ key: nothing, operator: DoesNotExist }', [403, 403]],
  ])('%s', async (expression, [reviews, ratings]) => {
    await bed.apply(server(`{ podSelector: { matchExpressions: [ ${expression} ] }, port: 9080 }`));
    expect([(await bed.call('reviews')).status, (await bed.call('ratings')).status]).toEqual([reviews, ratings]);
  });

  it('choose Servers of a ServerAuthorization, and let nobody in where they choose none', async () => {
    const authorization = policy(
      'ServerAuthorization',
      'a',
      '{ server: { selector: { matchExpressions: [ { key: x, operator: Exists } ] } }, client: { unauthenticated: true } }',
      'v1beta1',
    );
    await bed.apply(server('{ podSelector: { matchLabels: { app: reviews } }, port: 9080 }'), authorization);
    expect(await both('reviews')).toEqual([403, 403]);
  });
});

describe('a ServerAuthorization', () => {
  it('for any mutual TLS lets in whoever has a sidecar', async () => {
    const authorization = policy(
      'ServerAuthorization',
      'a',
      '{ server: { name: s }, client: { meshTLS: { unauthenticatedTLS: true } } }',
      'v1beta1',
    );
    await bed.apply(server('{ podSelector: { matchLabels: { app: reviews } }, port: 9080 }'), authorization);
    expect(await both('reviews')).toEqual([200, 403]);
  });
});

describe('how long a request may take', () => {
  const service =
    'apiVersion: v1\nkind: Service\nmetadata: { name: slow, annotations: { timeout.linkerd.io/request: 100ms } }\nspec: { selector: { app: slow }, ports: [ { port: 9080, appProtocol: http } ] }\n';
  const route = (annotations: string) => `apiVersion: policy.linkerd.io/v1beta3
kind: HTTPRoute
metadata: { name: slow, annotations: ${annotations} }
spec: { parentRefs: [ { name: slow, kind: Service, group: core, port: 9080 } ], rules: [ { timeouts: { request: 2s }, backendRefs: [ { name: slow, port: 9080 } ] } ] }
`;

  it('is said by the route before its Service, and by its annotation before its field', async () => {
    await bed.apply(service, route('{}'));
    expect((await bed.call('slow')).status).toBe(200);
    await bed.apply(route('{ timeout.linkerd.io/request: 100ms }'));
    expect((await bed.call('slow')).status).toBe(504);
  });
});

describe('a circuit breaker', () => {
  const PREFIX = 'balancer.linkerd.io/failure-accrual';
  const service = `apiVersion: v1
kind: Service
metadata: { name: sick, annotations: { ${PREFIX}: consecutive, ${PREFIX}-consecutive-max-failures: "2" } }
spec: { selector: { app: sick }, ports: [ { port: 9080, appProtocol: http } ] }
`;
  const statuses = async () => {
    const found: number[] = [];
    for (let i = 0; i < 4; i++) found.push((await bed.call('sick')).status);
    return found;
  };

  it('does not work beside a ServiceProfile', async () => {
    await bed.apply(service);
    expect(await statuses()).toEqual([500, 500, 503, 503]);
    await bed.reset();
    await bed.apply(
      service,
      'apiVersion: linkerd.io/v1alpha2\nkind: ServiceProfile\nmetadata: { name: sick.default.svc.cluster.local }\nspec: { routes: [] }',
    );
    expect(await statuses()).toEqual([500, 500, 500, 500]);
  });
});

describe('trap 16: answers of the proxy’s own', () => {
  it('say in l5d-proxy-error why they are given', async () => {
    await bed.apply(server('{ podSelector: { matchLabels: { app: reviews } }, port: 9080 }'));
    const denied = await bed.call('reviews');
    expect([denied.status, denied.headers['l5d-proxy-error']]).toEqual([
      403,
      'the authorization policies of reviews do not let this caller do this',
    ]);
    expect((await bed.call('ratings')).headers['l5d-proxy-error']).toBeUndefined();
  });
});

describe('what Linkerd refuses', () => {
  const TARGET = 'targetRef: { group: policy.linkerd.io, kind: Server, name: s }';
  const MESH = '{ group: policy.linkerd.io, kind: MeshTLSAuthentication, name: m }';

  it.each([
    ['Server', '{ port: 9080 }', 'a Server chooses pods'],
    [
      'AuthorizationPolicy',
      '{ targetRef: { kind: Service, name: s }, requiredAuthenticationRefs: [] }',
      'Service is no target of a policy',
    ],
    [
      'AuthorizationPolicy',
      '{ targetRef: { kind: Namespace, name: other }, requiredAuthenticationRefs: [] }',
      'its own namespace, default',
    ],
    [
      'AuthorizationPolicy',
      `{ ${TARGET}, requiredAuthenticationRefs: [ { kind: Foo, name: f } ] }`,
      'Foo is no authentication',
    ],
    [
      'AuthorizationPolicy',
      `{ ${TARGET}, requiredAuthenticationRefs: [ ${MESH}, ${MESH} ] }`,
      'one MeshTLSAuthentication is required at most',
    ],
    ['MeshTLSAuthentication', '{}', 'it names nobody'],
    ['MeshTLSAuthentication', '{ identityRefs: [ { kind: Pod, name: p } ] }', 'Pod is no identity'],
    ['NetworkAuthentication', '{ networks: [] }', 'it names no network'],
    [
      'HTTPLocalRateLimitPolicy',
      '{ targetRef: { kind: HTTPRoute, name: r }, total: { requestsPerSecond: 1 } }',
      'HTTPRoute is no target of a limit',
    ],
    [
      'HTTPLocalRateLimitPolicy',
      `{ ${TARGET}, total: { requestsPerSecond: 1 }, identity: { requestsPerSecond: 2 } }`,
      'more than all may together, 1',
    ],
    ['ServerAuthorization', '{ server: { name: s }, client: {} }', 'says nothing of its clients'],
    ['ServerAuthorization', '{ server: { name: s }, client: { unauthenticated: true, meshTLS: {} } }', 'not both'],
  ])('a %s: %s', async (kind, spec, message) => {
    const version = { Server: 'v1beta3', ServerAuthorization: 'v1beta1' }[kind] ?? 'v1alpha1';
    const files = [{ name: 'l.yaml', text: policy(kind, 's', spec, version) }];
    const { applied, findings } = await bed.mesh.client.call('applyResources', { files });
    expect([applied, findings[0]?.message]).toEqual([false, expect.stringContaining(message)]);
  });

  it.each(['not-a-cidr', '10.0.0.0/33', '10.0.0.0/x'])('a network that is none: %s', async (cidr) => {
    const text = policy('NetworkAuthentication', 'n', `{ networks: [ { cidr: ${cidr} } ] }`);
    const { applied, findings } = await bed.mesh.client.call('applyResources', { files: [{ name: 'n.yaml', text }] });
    expect([applied, findings[0]?.message]).toEqual([false, expect.stringContaining('must be an address or a range')]);
  });
});

describe('a route at a Server', () => {
  const at = (more: string) => `apiVersion: policy.linkerd.io/v1beta3
kind: HTTPRoute
metadata: { name: r }
spec: { parentRefs: [ { name: s, kind: Server, group: policy.linkerd.io${more} } ], rules: [ { matches: [ { path: { value: /only } } ] } ] }
`;
  const open = server(
    '{ podSelector: { matchLabels: { app: reviews } }, port: 9080, accessPolicy: all-unauthenticated }',
  );

  it('that names a port is told to bind to none, and does not', async () => {
    expect(await bed.apply(open, at(''))).toEqual([]);
    expect((await bed.call('reviews', '/other')).status).toBe(404);
    expect(await bed.apply(at(', port: 9080'))).toEqual(['MS0001']);
    expect((await bed.call('reviews', '/other')).status).toBe(200);
  });
});
