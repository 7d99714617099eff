import { expect } from 'vitest';
import { type ConformanceCase, exact, prefix, route, rows, rule, shares, V1, V2 } from '../case.js';
import { CONSUMER, MESH } from '../fixture.js';

const HTTP = { profile: 'MESH-HTTP' } as const;
const RESPONSE = 'HTTPRouteResponseHeaderModification';

/** A filter that leaves a trace in the answer. */
const marked = (value: string): string =>
  `filters: [ { type: ResponseHeaderModifier, responseHeaderModifier: { set: [ { name: X-Header-Set, value: ${value} } ] } } ]`;

const FRONTEND = route([rule(`{ ${prefix('/')} }`, V2, marked('set'))], { parent: 'name: echo-v2' });

/** The mesh profile, but for its redirects and changes of headers. */
export const MESH_CASES: readonly ConformanceCase[] = [
  { ...HTTP, name: 'MeshBasic', features: [], yaml: '', check: rows({ to: 'echo:80' }) },
  {
    ...HTTP,
    name: 'MeshTrafficSplit',
    behaviours: ['B-001'],
    features: [],
    yaml: route([rule(`{ ${exact('/v1')} }`, V1), rule(`{ ${exact('/v2')} }`, V2)]),
    check: rows({ path: '/v1', by: 'echo-v1' }, { path: '/v2', by: 'echo-v2' }),
  },
  {
    ...HTTP,
    name: 'MeshPorts',
    behaviours: ['B-002'],
    features: ['HTTPRouteParentRefPort', RESPONSE],
    yaml: [
      route([rule(`{ ${prefix('/')} }`, V1, marked('v1'))], { name: 'one', parent: 'name: echo-v1, port: 80' }),
      route([rule(`{ ${prefix('/')} }`, V2, marked('v2'))], { name: 'two', parent: 'name: echo-v2' }),
    ].join('---\n'),
    check: rows(
      { to: 'echo-v1:80', by: 'echo-v1', got: { 'x-header-set': 'v1' } },
      { to: 'echo-v1:8080', by: 'echo-v1', gotNot: ['x-header-set'] },
      { to: 'echo-v2:80', by: 'echo-v2', got: { 'x-header-set': 'v2' } },
      { to: 'echo-v2:8080', by: 'echo-v2', got: { 'x-header-set': 'v2' } },
    ),
  },
  {
    ...HTTP,
    name: 'MeshFrontend',
    behaviours: ['B-003'],
    features: [RESPONSE],
    yaml: FRONTEND,
    check: async (mesh) => {
      await rows({ to: 'echo-v2:80', by: 'echo-v2', got: { 'x-header-set': 'set' } })(mesh);
      const direct = await mesh.askPod('echo-v2', '/');
      expect(direct.echo?.pod).toBe('echo-v2');
      expect(direct.headers).not.toHaveProperty('x-header-set');
    },
  },
  {
    ...HTTP,
    name: 'MeshFrontendHostname',
    features: ['MeshClusterIPMatching', RESPONSE],
    yaml: FRONTEND,
    check: rows({ to: 'echo-v2:80', host: 'echo', by: 'echo-v2', got: { 'x-header-set': 'set' } }),
    unsupported: 'routes are found by Host, as with Istio, not by the address that was called',
  },
  {
    ...HTTP,
    name: 'MeshConsumerRoute',
    behaviours: ['B-005'],
    features: ['MeshConsumerRoute', RESPONSE],
    yaml: route([rule(`{ ${prefix('/')} }`, `{ name: echo-v1, namespace: ${MESH}, port: 8080 }`, marked('set'))], {
      namespace: CONSUMER,
      parent: `name: echo-v1, namespace: ${MESH}`,
    }),
    check: rows(
      { from: 'consumer', to: 'echo-v1:80', by: 'echo-v1', got: { 'x-header-set': 'set' } },
      { to: 'echo-v1:80', by: 'echo-v1', gotNot: ['x-header-set'] },
    ),
  },
  {
    ...HTTP,
    name: 'MeshHTTPRouteMatching',
    behaviours: ['B-006'],
    features: [],
    yaml: route([
      rule(`{ ${prefix('/')} }, { headers: [ { name: version, value: one } ] }`, V1),
      rule(`{ ${prefix('/v2')} }, { headers: [ { name: version, value: two } ] }`, V2),
    ]),
    check: rows(
      { path: '/', by: 'echo-v1' },
      { path: '/example', by: 'echo-v1' },
      { path: '/', headers: { Version: 'one' }, by: 'echo-v1' },
      { path: '/v2', by: 'echo-v2' },
      { path: '/v2/example', by: 'echo-v2' },
      { path: '/', headers: { Version: 'two' }, by: 'echo-v2' },
      { path: '/v2/', by: 'echo-v2' },
      { path: '/v2example', by: 'echo-v1' },
      { path: '/foo/v2/example', by: 'echo-v1' },
    ),
  },
  {
    ...HTTP,
    name: 'MeshHTTPRouteNamedRule',
    features: ['MeshHTTPRouteNamedRouteRule'],
    yaml: route([rule(`{ ${prefix('/named')} }`, V1, 'name: named-rule'), rule(`{ ${prefix('/unnamed')} }`, V2)]),
    check: rows({ path: '/named', by: 'echo-v1' }, { path: '/unnamed', by: 'echo-v2' }),
  },
  {
    ...HTTP,
    name: 'MeshHTTPRouteSimpleSameNamespace',
    features: [],
    yaml: route([`{ backendRefs: [ ${V1} ] }`]),
    check: rows({ by: 'echo-v1' }, { path: '/any', by: 'echo-v1' }),
  },
  {
    ...HTTP,
    name: 'MeshHTTPRouteWeight',
    behaviours: ['B-013'],
    features: [],
    yaml: route([
      '{ backendRefs: [ { name: echo-v1, port: 8080, weight: 70 }, { name: echo-v2, port: 8080, weight: 30 } ] }',
    ]),
    check: shares({}, { 'echo-v1': 70, 'echo-v2': 30 }),
  },
];
