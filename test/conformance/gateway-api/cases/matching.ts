import { type ConformanceCase, exact, prefix, route, rows, rule, V1, V2, V3 } from '../case.js';

const HTTP = { profile: 'GATEWAY-HTTP' } as const;
const header = (name: string, value: string): string => `headers: [ { name: ${name}, value: ${value} } ]`;
const query = (name: string, value: string): string => `queryParams: [ { name: ${name}, value: ${value} } ]`;

const QUERY_RULES = [
  rule(`{ ${query('animal', 'whale')} }`, V1),
  rule(`{ ${query('animal', 'dolphin')} }`, V2),
  rule(`{ ${prefix('/path1')}, ${query('animal', 'whale')} }`, V1),
  rule(`{ ${header('version', 'one')}, ${query('animal', 'whale')} }`, V2),
  rule(
    `{ ${prefix('/path3')}, ${query('animal', 'shark')} }, { ${prefix('/path4')}, ${header('version', 'three')}, ${query('animal', 'kraken')} }`,
    V1,
  ),
  rule(`{ ${prefix('/path5')} }`, V1),
  rule(`{ ${query('animal', 'hydra')} }`, V2),
];

const QUERY_ROWS = [
  { path: '/?animal=whale', by: 'echo-v1' },
  { path: '/?animal=dolphin', by: 'echo-v2' },
  { path: '/?animal=whale&otherparam=irrelevant', by: 'echo-v1' },
  { path: '/?animal=dolphin&color=yellow', by: 'echo-v2' },
  { path: '/path1?animal=whale', by: 'echo-v1' },
  { path: '/?animal=whale', headers: { version: 'one' }, by: 'echo-v2' },
  { path: '/path3?animal=shark', by: 'echo-v1' },
  { path: '/path4?animal=kraken', headers: { version: 'three' }, by: 'echo-v1' },
  { path: '/path5?animal=hydra', by: 'echo-v1' },
  ...['/?color=blue', '/?animal=dog', '/?animal=whaledolphin', '/', '/?animal=shark', '/path4?animal=kraken'].map(
    (path) => ({ path, status: 404 }),
  ),
];

/** What rules are about and which of several goes first. */
export const MATCHING_CASES: readonly ConformanceCase[] = [
  {
    profile: 'MESH-HTTP',
    name: 'MeshHTTPRouteQueryParamMatching',
    behaviours: ['B-011'],
    features: ['MeshHTTPRouteQueryParamMatching'],
    yaml: route(QUERY_RULES),
    check: rows(...QUERY_ROWS),
  },
  {
    ...HTTP,
    name: 'HTTPRouteMatching',
    features: [],
    yaml: route([
      rule(`{ ${prefix('/')} }, { ${header('version', 'one')} }`, V1),
      rule(`{ ${prefix('/v2')} }, { ${header('version', 'two')} }`, V2),
    ]),
    check: rows(
      { path: '/example', by: 'echo-v1' },
      { path: '/v2/example', by: 'echo-v2' },
      { path: '/v2example', by: 'echo-v1' },
      { path: '/', headers: { VERSION: 'two' }, by: 'echo-v2' },
    ),
  },
  {
    ...HTTP,
    name: 'HTTPRouteMatchingAcrossRoutes',
    features: [],
    yaml: [
      route([rule(`{ ${prefix('/')} }, { ${header('version', 'one')} }`, V1)], { name: 'one' }),
      route([rule(`{ ${prefix('/v2')} }, { ${header('version', 'two')} }`, V2)], { name: 'two' }),
    ].join('---\n'),
    check: rows(
      { path: '/', by: 'echo-v1' },
      { path: '/example', by: 'echo-v1' },
      { path: '/v2', by: 'echo-v2' },
      { path: '/v2example', by: 'echo-v1' },
      { path: '/', headers: { version: 'one' }, by: 'echo-v1' },
      { path: '/', headers: { version: 'two' }, by: 'echo-v2' },
    ),
  },
  {
    ...HTTP,
    name: 'HTTPRouteExactPathMatching',
    behaviours: ['B-008'],
    features: [],
    yaml: route([rule(`{ ${exact('/one')} }`, V1), rule(`{ ${exact('/two')} }`, V2)]),
    check: rows(
      { path: '/one', by: 'echo-v1' },
      { path: '/two', by: 'echo-v2' },
      ...['/', '/one/example', '/two/', '/Two'].map((path) => ({ path, status: 404 })),
    ),
  },
  {
    ...HTTP,
    name: 'HTTPRoutePathMatchOrder',
    behaviours: ['B-007'],
    features: [],
    yaml: route([
      rule(`{ ${prefix('/match/')} }`, V3),
      rule(`{ ${prefix('/match/prefix/')} }`, V1),
      rule(`{ ${prefix('/match/prefix/one')} }`, V2),
      rule(`{ ${exact('/match')} }`, V1),
      rule(`{ ${exact('/match/exact')} }`, V2),
      rule(`{ ${exact('/match/exact/one')} }`, V3),
    ]),
    check: rows(
      { path: '/match/exact/one', by: 'infra-v3' },
      { path: '/match/exact', by: 'echo-v2' },
      { path: '/match', by: 'echo-v1' },
      { path: '/match/prefix/one/any', by: 'echo-v2' },
      { path: '/match/prefix/any', by: 'echo-v1' },
      { path: '/match/any', by: 'infra-v3' },
    ),
  },
  {
    ...HTTP,
    name: 'HTTPRouteHeaderMatching',
    behaviours: ['B-009'],
    features: [],
    yaml: route([
      rule(`{ ${header('version', 'one')} }`, V1),
      rule(`{ ${header('version', 'two')} }`, V2),
      rule('{ headers: [ { name: version, value: two }, { name: color, value: orange } ] }', V1),
      rule(`{ ${header('color', 'blue')} }, { ${header('color', 'green')} }`, V1),
      rule(`{ ${header('color', 'red')} }, { ${header('color', 'yellow')} }`, V2),
    ]),
    check: rows(
      { headers: { version: 'one' }, by: 'echo-v1' },
      { headers: { VeRsIoN: 'two' }, by: 'echo-v2' },
      { headers: { version: 'two', color: 'orange' }, by: 'echo-v1' },
      { headers: { version: 'two', color: 'blue' }, by: 'echo-v2' },
      { headers: { color: 'blue' }, by: 'echo-v1' },
      { headers: { color: 'green' }, by: 'echo-v1' },
      { headers: { color: 'red' }, by: 'echo-v2' },
      { headers: { color: 'yellow' }, by: 'echo-v2' },
      { headers: { color: 'orange' }, status: 404 },
      { headers: { color: 'purple' }, status: 404 },
      { headers: { 'some-other-header': 'one' }, status: 404 },
    ),
  },
  {
    ...HTTP,
    name: 'HTTPRouteMethodMatching',
    features: ['HTTPRouteMethodMatching'],
    yaml: route([
      rule('{ method: POST }', V1),
      rule('{ method: GET }', V2),
      rule(`{ ${prefix('/path1')}, method: GET }`, V1),
      rule(`{ ${header('version', 'one')}, method: PUT }`, V2),
      rule(`{ ${prefix('/path2')}, ${header('version', 'two')}, method: POST }`, V3),
      rule(`{ ${prefix('/path5')} }`, V1),
      rule('{ method: PATCH }', V2),
    ]),
    check: rows(
      { method: 'POST', by: 'echo-v1' },
      { method: 'GET', by: 'echo-v2' },
      { method: 'HEAD', status: 404 },
      { method: 'GET', path: '/path1', by: 'echo-v1' },
      { method: 'PUT', headers: { version: 'one' }, by: 'echo-v2' },
      { method: 'PUT', status: 404 },
      { method: 'POST', path: '/path2', headers: { version: 'two' }, by: 'infra-v3' },
      { method: 'PATCH', path: '/path5', by: 'echo-v1' },
      { method: 'PATCH', by: 'echo-v2' },
    ),
  },
  {
    ...HTTP,
    name: 'HTTPRouteQueryParamMatching',
    features: ['HTTPRouteQueryParamMatching'],
    yaml: route([...QUERY_RULES, rule(`{ ${header('version', 'four')} }`, V3)]),
    check: rows(...QUERY_ROWS, { path: '/?animal=hydra', headers: { version: 'four' }, by: 'infra-v3' }),
  },
  {
    ...HTTP,
    name: 'HTTPRouteNamedRule',
    features: ['HTTPRouteNamedRouteRule'],
    yaml: route([rule(`{ ${prefix('/named')} }`, V1, 'name: named-rule'), rule(`{ ${prefix('/unnamed')} }`, V2)]),
    check: rows({ path: '/named', by: 'echo-v1' }, { path: '/unnamed', by: 'echo-v2' }),
  },
  {
    ...HTTP,
    name: 'HTTPRouteSimpleSameNamespace',
    features: [],
    yaml: route([`{ backendRefs: [ ${V1} ] }`]),
    check: rows({ by: 'echo-v1' }),
  },
];
