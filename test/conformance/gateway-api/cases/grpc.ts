import { expect } from 'vitest';
import { type ConformanceCase, prefix, route, rows, rule, shares, V1, V2 } from '../case.js';
import { conditionOf } from './backends.js';

const GRPC = { profile: 'MESH-GRPC' } as const;
const SERVICE = 'gateway_api_conformance.echo_basic.grpcecho.GrpcEcho';
const call = (method: string, headers: Readonly<Record<string, string>> = {}) => ({
  method: 'POST',
  path: `/${SERVICE}/${method}`,
  headers,
});
const grpc = (rules: readonly string[]): string => route(rules, { kind: 'GRPCRoute' });
const onMethod = (method: string): string => `{ method: { service: ${SERVICE}, method: ${method} } }`;

const MODIFIER =
  'filters: [ { type: RequestHeaderModifier, requestHeaderModifier: { set: [ { name: X-Set, value: new } ], add: [ { name: X-Add, value: new } ], remove: [ X-Remove ] } } ]';
const HEADERS = {
  yaml: grpc([rule(onMethod('Echo'), V1, MODIFIER)]),
  check: rows({
    ...call('Echo', { 'x-set': 'old', 'x-add': 'old', 'x-remove': 'old' }),
    by: 'echo-v1',
    saw: { 'x-set': 'new', 'x-add': 'old,new' },
    sawNot: ['x-remove'],
  }),
};
const WEIGHTS = {
  // A backend that does not exist and has no weight does no harm.
  yaml: grpc([
    '{ backendRefs: [ { name: echo-v1, port: 8080, weight: 70 }, { name: echo-v2, port: 8080, weight: 30 }, { name: echo-v3, port: 8080, weight: 0 } ] }',
  ]),
  check: shares(call('Echo'), { 'echo-v1': 70, 'echo-v2': 30 }),
};

/** GRPCRoutes as far as sidecars go: calls come as HTTP/1.1, with the paths and fields of gRPC. */
export const GRPC_CASES: readonly ConformanceCase[] = [
  { ...GRPC, name: 'MeshGRPCRouteWeight', behaviours: ['B-013'], features: [], ...WEIGHTS },
  { ...GRPC, name: 'MeshGRPCRouteRequestHeaderModifier', features: [], ...HEADERS },
  {
    ...GRPC,
    name: 'GRPCExactMethodMatching',
    features: [],
    yaml: grpc([rule(onMethod('Echo'), V1), rule(onMethod('EchoTwo'), V2)]),
    check: async (mesh) => {
      await rows({ ...call('Echo'), by: 'echo-v1' }, { ...call('EchoTwo'), by: 'echo-v2' })(mesh);
      await rows({ ...call('EchoThree'), status: 404 })(mesh);
      const { status, headers } = await mesh.ask(call('EchoThree', { 'content-type': 'application/grpc' }));
      expect([status, headers['grpc-status']]).toEqual([200, '12']);
    },
  },
  {
    ...GRPC,
    name: 'GRPCRouteHeaderMatching',
    features: [],
    yaml: grpc([
      rule('{ headers: [ { name: version, value: one } ] }', V1),
      rule('{ headers: [ { name: version, value: two } ] }', V2),
      rule('{ headers: [ { name: version, value: two }, { name: color, value: orange } ] }', V1),
    ]),
    check: rows(
      { ...call('Echo', { version: 'one' }), by: 'echo-v1' },
      { ...call('Echo', { version: 'two' }), by: 'echo-v2' },
      { ...call('Echo', { version: 'two', color: 'orange' }), by: 'echo-v1' },
      { ...call('Echo'), status: 404 },
    ),
  },
  { ...GRPC, name: 'GRPCRouteWeight', features: [], ...WEIGHTS },
  {
    ...GRPC,
    name: 'GRPCRouteNamedRule',
    features: ['GRPCRouteNamedRouteRule'],
    yaml: grpc([rule(onMethod('Echo'), V1, 'name: named-rule'), rule(onMethod('EchoTwo'), V2)]),
    check: rows({ ...call('Echo'), by: 'echo-v1' }, { ...call('EchoTwo'), by: 'echo-v2' }),
  },
  { ...GRPC, name: 'GRPCRouteRequestHeaderModifier', features: [], ...HEADERS },
  {
    ...GRPC,
    name: 'GRPCRouteBesideHTTPRoute',
    behaviours: ['B-030'],
    features: ['MeshRouteConflict'],
    yaml: `${route([rule(`{ ${prefix('/')} }`, V1)])}---\n${route([rule(onMethod('Echo'), V2)], { kind: 'GRPCRoute', name: 'g' })}`,
    check: async (mesh) => {
      expect(await conditionOf(mesh, 'Accepted')).toMatchObject({ status: 'False', reason: 'Conflicted' });
    },
    unsupported: 'as with Istio both kinds on one Service are merged (GEP-1294 wants the HTTPRoute refused)',
  },
  {
    ...GRPC,
    name: 'GRPCOverHTTP2',
    features: ['GRPCOverHTTP2'],
    yaml: '',
    check: null,
    unsupported: 'sidecars speak HTTP/1.1; gRPC itself needs HTTP/2 and trailers',
  },
];
