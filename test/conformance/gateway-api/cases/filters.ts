import { expect } from 'vitest';
import { type ConformanceCase, prefix, route, rows, rule, V1, V2 } from '../case.js';
import { seen } from '../echo.js';
import type { Fixture } from '../fixture.js';

const MESH = { profile: 'MESH-HTTP' } as const;
const GATEWAY = { profile: 'GATEWAY-HTTP' } as const;

const filters = (...all: string[]): string => `filters: [ ${all.map((one) => `{ ${one} }`).join(', ')} ]`;
const onRequest = (said: string): string => `type: RequestHeaderModifier, requestHeaderModifier: { ${said} }`;
const onAnswer = (said: string): string => `type: ResponseHeaderModifier, responseHeaderModifier: { ${said} }`;
const rewrite = (said: string): string => `type: URLRewrite, urlRewrite: { ${said} }`;
const mirror = (said: string): string => `type: RequestMirror, requestMirror: { ${said} }`;

const SET = 'set: [ { name: X-Header-Set, value: set-overwrites-values } ]';
const ADD = 'add: [ { name: X-Header-Add, value: add-appends-values } ]';
const REMOVE = 'remove: [ X-Header-Remove ]';

const MODIFIED = rows(
  {
    path: '/set',
    headers: { 'some-other-header': 'val' },
    by: 'echo-v1',
    saw: { 'some-other-header': 'val', 'x-header-set': 'set-overwrites-values' },
  },
  { path: '/set', headers: { 'X-Header-Set': 'some-other-value' }, saw: { 'x-header-set': 'set-overwrites-values' } },
  { path: '/add', saw: { 'x-header-add': 'add-appends-values' } },
  {
    path: '/add',
    headers: { 'X-Header-Add': 'some-other-value' },
    saw: { 'x-header-add': 'some-other-value,add-appends-values' },
  },
  { path: '/remove', headers: { 'X-Header-Remove': 'val' }, sawNot: ['x-header-remove'] },
  {
    path: '/multiple',
    headers: { 'x-header-set': 'set-val', 'X-HEADER-ADD': 'add-val', 'x-header-remove': 'val', another: 'val' },
    saw: { 'x-header-set': 'set-overwrites-values', 'x-header-add': 'add-val,add-appends-values', another: 'val' },
    sawNot: ['x-header-remove'],
  },
);

const CHANGES = { '/set': SET, '/add': ADD, '/remove': REMOVE, '/multiple': `${SET}, ${ADD}, ${REMOVE}` };
const AT_RULE = route(
  Object.entries(CHANGES).map(([path, said]) => rule(`{ ${prefix(path)} }`, V1, filters(onRequest(said)))),
);
const AT_BACKEND = route(
  Object.entries(CHANGES).map(([path, said]) =>
    rule(`{ ${prefix(path)} }`, `{ name: echo-v1, port: 8080, ${filters(onRequest(said))} }`),
  ),
);

const newPrefix = (value: string): string =>
  rewrite(`path: { type: ReplacePrefixMatch, replacePrefixMatch: ${value} }`);
const newPath = (value: string): string => rewrite(`path: { type: ReplaceFullPath, replaceFullPath: ${value} }`);
const WITH_HEADERS = onRequest(
  'set: [ { name: X-Header-Set, value: set-overwrites-values } ], add: [ { name: X-Header-Add, value: header-val-1 }, { name: X-Header-Add-Append, value: header-val-2 } ], remove: [ X-Header-Remove ]',
);
const WITH_HEADERS_ASKED = {
  headers: { 'X-Header-Remove': 'remove-val', 'X-Header-Add-Append': 'append-val-1', 'X-Header-Set': 'set-val' },
  saw: {
    'x-header-add': 'header-val-1',
    'x-header-add-append': 'append-val-1,header-val-2',
    'x-header-set': 'set-overwrites-values',
  },
  sawNot: ['x-header-remove'],
};

const REWRITTEN = {
  yaml: route([
    rule(`{ ${prefix('/prefix/one')} }`, V1, filters(newPrefix('/one'))),
    rule(`{ ${prefix('/strip-prefix')} }`, V1, filters(newPrefix('/'))),
    rule(`{ ${prefix('/full/one')} }`, V1, filters(newPath('/one'))),
    rule(`{ ${prefix('/full/rewrite-path-and-modify-headers')} }`, V1, filters(newPath('/test'), WITH_HEADERS)),
    rule(`{ ${prefix('/prefix/rewrite-path-and-modify-headers')} }`, V1, filters(newPrefix('/prefix'), WITH_HEADERS)),
  ]),
  check: rows(
    { path: '/prefix/one/two', sawPath: '/one/two', by: 'echo-v1' },
    { path: '/strip-prefix/three', sawPath: '/three' },
    { path: '/strip-prefix', sawPath: '/' },
    { path: '/full/one/two', sawPath: '/one' },
    { path: '/full/rewrite-path-and-modify-headers/test', sawPath: '/test', ...WITH_HEADERS_ASKED },
    { path: '/prefix/rewrite-path-and-modify-headers/one', sawPath: '/prefix/one', ...WITH_HEADERS_ASKED },
  ),
};

/** Sends so many requests, and counts the copies that a pod got of them. */
async function copies(mesh: Fixture, path: string, times: number, pod: string): Promise<number> {
  const before = seen.length;
  for (let i = 0; i < times; i++) expect((await mesh.ask({ path })).echo?.pod).toBe('echo-v1');
  // Copies are sent before their originals, and nobody waits for them: none is on its way while so many others came and went.
  for (let i = 0; i < 50; i++) await mesh.ask({ path: '/no-mirror' });
  return seen.slice(before).filter((one) => one.pod === pod && one.path === path).length;
}

/** Changes of headers and paths, and copies of requests. */
export const FILTER_CASES: readonly ConformanceCase[] = [
  { ...MESH, name: 'MeshHTTPRouteRequestHeaderModifier', features: [], yaml: AT_RULE, check: MODIFIED },
  {
    ...MESH,
    name: 'MeshHTTPRouteBackendRequestHeaderModifier',
    features: ['MeshHTTPRouteBackendRequestHeaderModification'],
    yaml: AT_BACKEND,
    check: MODIFIED,
  },
  {
    ...MESH,
    name: 'MeshHTTPRouteRewritePath',
    behaviours: ['B-020'],
    features: ['MeshHTTPRouteRewritePath'],
    ...REWRITTEN,
  },
  { ...GATEWAY, name: 'HTTPRouteRequestHeaderModifier', features: [], yaml: AT_RULE, check: MODIFIED },
  {
    ...GATEWAY,
    name: 'HTTPRouteBackendRequestHeaderModifier',
    features: ['HTTPRouteBackendRequestHeaderModification'],
    yaml: AT_BACKEND,
    check: MODIFIED,
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteRequestHeaderModifierBackendWeights',
    features: ['HTTPRouteBackendRequestHeaderModification'],
    yaml: route([
      `{ backendRefs: [ ${[1, 2]
        .map(
          (n) =>
            `{ name: echo-v${n}, port: 8080, weight: 1, ${filters(onRequest(`set: [ { name: backend, value: echo-v${n} } ]`))} }`,
        )
        .join(', ')} ] }`,
    ]),
    check: async (mesh) => {
      const pods = new Set<string>();
      for (let i = 0; i < 60; i++) {
        const { echo } = await mesh.ask({});
        expect(echo?.headers['backend']).toBe(echo?.pod);
        pods.add(echo?.pod ?? '');
      }
      expect([...pods].sort()).toEqual(['echo-v1', 'echo-v2']);
    },
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteResponseHeaderModifier',
    behaviours: ['B-022'],
    features: ['HTTPRouteResponseHeaderModification'],
    yaml: route([
      rule(`{ ${prefix('/set')} }`, V1, filters(onAnswer('set: [ { name: X-From-App, value: new } ]'))),
      rule(`{ ${prefix('/add')} }`, V1, filters(onAnswer('add: [ { name: X-From-App, value: new } ]'))),
      rule(`{ ${prefix('/remove')} }`, V1, filters(onAnswer('remove: [ X-Remove-Me ]'))),
      rule(
        `{ ${prefix('/both')} }`,
        V1,
        filters(onAnswer('set: [ { name: x-a, value: "1" } ], remove: [ x-remove-me ]'), onRequest(SET)),
      ),
    ]),
    check: rows(
      { path: '/set', got: { 'x-from-app': 'new', 'x-remove-me': 'old' } },
      { path: '/add', got: { 'x-from-app': 'old,new' } },
      { path: '/remove', gotNot: ['x-remove-me'] },
      {
        path: '/both',
        got: { 'x-a': '1' },
        gotNot: ['x-remove-me'],
        saw: { 'x-header-set': 'set-overwrites-values' },
      },
    ),
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteRewriteHost',
    features: ['HTTPRouteHostRewrite'],
    yaml: route([
      rule(`{ ${prefix('/one')} }`, V1, filters(rewrite('hostname: one.example.org'))),
      rule(`{ ${prefix('/two')} }`, V2, filters(rewrite('hostname: example.org'), onRequest(SET))),
    ]),
    check: rows(
      { path: '/one', by: 'echo-v1', sawHost: 'one.example.org' },
      { path: '/two', by: 'echo-v2', sawHost: 'example.org', saw: { 'x-header-set': 'set-overwrites-values' } },
    ),
  },
  { ...GATEWAY, name: 'HTTPRouteRewritePath', features: ['HTTPRoutePathRewrite'], ...REWRITTEN },
  {
    ...GATEWAY,
    name: 'HTTPRouteBackendURLRewrite',
    features: ['HTTPRouteBackendURLRewrite'],
    yaml: route([rule(`{ ${prefix('/a')} }`, `{ name: echo-v1, port: 8080, ${filters(newPrefix('/b'))} }`)]),
    check: rows({ path: '/a/x', by: 'echo-v1', sawPath: '/b/x' }),
    unsupported:
      'at a backend Istio knows changes of headers only: it drops the route, and so does the sandbox, with a warning',
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteBackendRequestRedirect',
    features: ['HTTPRouteBackendRequestRedirect'],
    yaml: route([
      rule(
        `{ ${prefix('/a')} }`,
        `{ name: echo-v1, port: 8080, ${filters('type: RequestRedirect, requestRedirect: { hostname: example.org }')} }`,
      ),
    ]),
    check: rows({ path: '/a', status: 302 }),
    unsupported:
      'at a backend Istio knows changes of headers only: it drops the route, and so does the sandbox, with a warning',
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteRequestMirror',
    features: ['HTTPRouteRequestMirror'],
    yaml: route([
      rule(`{ ${prefix('/mirror')} }`, V1, filters(mirror(`backendRef: ${V2}`))),
      rule(`{ ${prefix('/no-mirror')} }`, V1),
    ]),
    check: async (mesh) => expect(await copies(mesh, '/mirror', 3, 'echo-v2')).toBe(3),
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteRequestMultipleMirrors',
    features: ['HTTPRouteRequestMultipleMirrors'],
    yaml: route([
      rule(
        `{ ${prefix('/mirror')} }`,
        V1,
        filters(mirror(`backendRef: ${V2}`), mirror('backendRef: { name: infra-v3, port: 8080 }')),
      ),
      rule(`{ ${prefix('/no-mirror')} }`, V1),
    ]),
    check: async (mesh) => {
      expect(await copies(mesh, '/mirror', 2, 'echo-v2')).toBe(2);
      expect(await copies(mesh, '/mirror', 2, 'infra-v3')).toBe(2);
    },
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteRequestPercentageMirror',
    features: ['HTTPRouteRequestPercentageMirror'],
    yaml: route([
      rule(`{ ${prefix('/percent')} }`, V1, filters(mirror(`backendRef: ${V2}, percent: 20`))),
      rule(
        `{ ${prefix('/fraction')} }`,
        V1,
        filters(mirror(`backendRef: ${V2}, fraction: { numerator: 1, denominator: 2 }`)),
      ),
      rule(`{ ${prefix('/no-mirror')} }`, V1),
    ]),
    check: async (mesh) => {
      // Four standard errors of 300 draws: 9 and 12 points.
      expect(Math.abs((await copies(mesh, '/percent', 300, 'echo-v2')) / 3 - 20)).toBeLessThan(10);
      expect(Math.abs((await copies(mesh, '/fraction', 300, 'echo-v2')) / 3 - 50)).toBeLessThan(12);
    },
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteCORS',
    behaviours: ['B-028'],
    features: ['HTTPRouteCORS'],
    yaml: route([
      rule(
        `{ ${prefix('/cors')} }`,
        V1,
        filters(
          'type: CORS, cors: { allowOrigins: [ "https://www.foo.com", "https://*.bar.com" ], allowMethods: [ GET, OPTIONS ], allowHeaders: [ x-header-1 ], exposeHeaders: [ x-header-3 ], allowCredentials: true, maxAge: 3600 }',
        ),
      ),
    ]),
    check: rows(
      ...['https://www.foo.com', 'https://www.bar.com', 'https://xpto.www.bar.com'].map((origin) => ({
        method: 'OPTIONS',
        path: '/cors',
        headers: { origin, 'access-control-request-method': 'GET' },
        got: {
          'access-control-allow-origin': origin,
          'access-control-allow-methods': 'GET,OPTIONS',
          'access-control-allow-headers': 'x-header-1',
          'access-control-max-age': '3600',
          'access-control-allow-credentials': 'true',
        },
      })),
      ...['https://foobar.com', 'http://www.foo.com', 'https://bar.com'].map((origin) => ({
        method: 'OPTIONS',
        path: '/cors',
        headers: { origin, 'access-control-request-method': 'GET' },
        gotNot: ['access-control-allow-origin'],
      })),
      {
        path: '/cors',
        headers: { origin: 'https://www.foo.com' },
        by: 'echo-v1',
        got: { 'access-control-allow-origin': 'https://www.foo.com', 'access-control-expose-headers': 'x-header-3' },
      },
    ),
  },
];
