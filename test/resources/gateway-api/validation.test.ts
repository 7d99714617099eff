import { describe, expect, it } from 'vitest';
import { unobeyedRoutes } from '../../../src/resources/gateway-api/unobeyed-routes.js';
import { readResources } from '../../../src/resources/read.js';

/** Line and message of each finding of a level. */
function found(text: string, level: 'error' | 'warning' = 'error'): string[] {
  const { resources, findings } = readResources([{ name: 'r.yaml', text }], 0);
  return [...unobeyedRoutes(resources, 'istio'), ...findings]
    .filter((one) => one.level === level)
    .map(({ source, message }) => `${source.line} ${message}`);
}

const route = (rule: string, kind = 'HTTPRoute'): string => `apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: { name: r }
spec:
  parentRefs: [ { group: "", kind: Service, name: a } ]
  rules:
  - ${rule}
`;
const backend = 'backendRefs: [ { name: b, port: 80 } ]';
const filter = (said: string): string => route(`{ filters: [ { ${said} } ], ${backend} }`);
const match = (said: string): string => route(`{ matches: [ { ${said} } ], ${backend} }`);
const many = (n: number, one: (i: number) => string): string => Array.from({ length: n }, (_, i) => one(i)).join(', ');

describe('what the CRDs of the Gateway API refuse is refused, at its line', () => {
  it.each([
    ['a path without its slash', match('path: { type: Exact, value: x }'), /must begin with \//],
    ['a path with dot segments', match('path: { value: /a/../b }'), /must not contain \/\.\.\//],
    ['a path with double slashes', match('path: { value: /a//b }'), /must not contain \/\//],
    ['a path that ends with a dot segment', match('path: { value: /a/.. }'), /must not contain/],
    ['a path with a blank', match('path: { value: "/a b" }'), /holds what no path does/],
    ['a path of an unknown type', match('path: { type: Prefix, value: /a }'), /path.type must be Exact or PathPrefix/],
    ['an expression that is none', match('path: { type: RegularExpression, value: "/(a" }'), /no regular expression/],
    ['an expression in a header', match('headers: [ { type: RegularExpression, name: a, value: "(" } ]'), /no regular/],
    ['a header twice', match('headers: [ { name: a, value: "1" }, { name: a, value: "2" } ]'), /a stands twice/],
    ['a parameter twice', match('queryParams: [ { name: a, value: "1" }, { name: a, value: "2" } ]'), /stands twice/],
    ['17 headers', match(`headers: [ ${many(17, (i) => `{ name: x${i}, value: v }`)} ]`), /more than 16 headers/],
    ['an unknown method', match('method: get'), /method must be GET/],
    [
      '65 matches of a rule',
      route(`{ matches: [ ${many(65, (i) => `{ path: { value: /${i} } }`)} ], ${backend} }`),
      /65 matches/,
    ],
    [
      'redirect and rewrite',
      route(
        '{ filters: [ { type: RequestRedirect, requestRedirect: { port: 80 } }, { type: URLRewrite, urlRewrite: { hostname: a.b } } ] }',
      ),
      /RequestRedirect or URLRewrite, not both/,
    ],
    [
      'redirect and backends',
      filter('type: RequestRedirect, requestRedirect: { port: 80 }'),
      /together with backendRefs/,
    ],
    [
      'a redirect that is none',
      route('{ filters: [ { type: RequestRedirect, requestRedirect: { statusCode: 200 } } ] }'),
      /200 is no redirection/,
    ],
    [
      'a scheme that is none',
      route('{ filters: [ { type: RequestRedirect, requestRedirect: { scheme: ftp } } ] }'),
      /scheme must be http or https/,
    ],
    ['a filter without its field', filter('type: URLRewrite'), /has no urlRewrite/],
    [
      "another filter's field",
      filter('type: CORS, cors: { maxAge: 5 }, urlRewrite: { hostname: a.b }'),
      /urlRewrite stands in a filter of type CORS/,
    ],
    [
      'a filter twice',
      route(`{ filters: [ ${many(2, () => '{ type: URLRewrite, urlRewrite: { hostname: a.b } }')} ], ${backend} }`),
      /URLRewrite stands twice/,
    ],
    [
      'a new prefix for an exact path',
      route(
        `{ matches: [ { path: { type: Exact, value: /a } } ], filters: [ { type: URLRewrite, urlRewrite: { path: { type: ReplacePrefixMatch, replacePrefixMatch: /b } } } ], ${backend} }`,
      ),
      /exactly one match/,
    ],
    [
      'a path modifier without its text',
      filter('type: URLRewrite, urlRewrite: { path: { type: ReplaceFullPath } }'),
      /needs replaceFullPath/,
    ],
    [
      'percent and fraction',
      filter(
        'type: RequestMirror, requestMirror: { backendRef: { name: c, port: 80 }, percent: 5, fraction: { numerator: 1 } }',
      ),
      /percent or fraction, not both/,
    ],
    [
      'more than all',
      filter(
        'type: RequestMirror, requestMirror: { backendRef: { name: c, port: 80 }, fraction: { numerator: 3, denominator: 2 } }',
      ),
      /numerator/,
    ],
    [
      'a mirror without a port',
      filter('type: RequestMirror, requestMirror: { backendRef: { name: c } }'),
      /the mirror c has no port/,
    ],
    [
      'a header with a colon',
      filter('type: RequestHeaderModifier, requestHeaderModifier: { set: [ { name: "a:b", value: v } ] }'),
      /the name of a header/,
    ],
    [
      'an empty value',
      filter('type: RequestHeaderModifier, requestHeaderModifier: { set: [ { name: a, value: "" } ] }'),
      /a value of 1 to 4096/,
    ],
    ['a backend without a port', route('{ backendRefs: [ { name: b } ] }'), /the backend b has no port/],
    [
      'a weight beyond a million',
      route('{ backendRefs: [ { name: b, port: 80, weight: 1000001 } ] }'),
      /weight must be a whole number/,
    ],
    [
      'a backendRequest longer than the request',
      route(`{ timeouts: { request: 1s, backendRequest: 2s }, ${backend} }`),
      /cannot be longer/,
    ],
    ['a duration with a fraction', route(`{ timeouts: { request: 1.5s }, ${backend} }`), /GEP-2257/],
    ['a duration without a unit', route(`{ timeouts: { request: "5" }, ${backend} }`), /GEP-2257/],
    ['a status that is no failure', route(`{ retry: { codes: [ 200 ] }, ${backend} }`), /from 400 to 599/],
    ['an unknown field', route(`{ timeout: 5s, ${backend} }`), /unknown key "timeout"/],
    [
      'a gRPC match of nothing',
      route(`{ matches: [ { method: {} } ], ${backend} }`, 'GRPCRoute'),
      /names a service or a method/,
    ],
    [
      'a gRPC method that is none',
      route(`{ matches: [ { method: { method: a-b } } ], ${backend} }`, 'GRPCRoute'),
      /no name of a gRPC method/,
    ],
  ])('%s', (_, text, message) => {
    const errors = found(text);
    expect(errors.join('\n')).toMatch(message);
    expect(errors.every((error) => error.startsWith('7 '))).toBe(true);
  });

  it('more than 16 rules, more than 128 matches in all, names and parents twice, hosts in capitals', () => {
    const rules = (n: number, rule: string): string => route(Array.from({ length: n }, () => rule).join('\n  - '));
    expect(found(rules(17, `{ ${backend} }`))).toEqual(['23 17 rules are more than the 16 that there may be']);
    expect(found(rules(3, `{ matches: [ ${many(43, (i) => `{ path: { value: /${i} } }`)} ], ${backend} }`))).toEqual([
      '6 129 matches in all are more than the 128 that a route may have',
    ]);
    expect(found(rules(2, `{ name: one, ${backend} }`))).toEqual(['8 two rules are named one']);
    const twice = route(`{ ${backend} }`).replace(/parentRefs: .*/, 'parentRefs: [ { name: gw }, { name: gw } ]');
    expect(found(twice)).toEqual(['5 the parent gw stands twice']);
    expect(
      found(twice.replace('{ name: gw }, { name: gw }', '{ name: gw, sectionName: a }, { name: gw, sectionName: b }')),
    ).toEqual([]);
    expect(
      found(route(`{ ${backend} }`).replace('  rules', '  hostnames: [ Shop.example.com ]\n  rules')),
    ).toHaveLength(1);
  });

  it('listeners of a Gateway, and policies that say two things', () => {
    const gateway = (listener: string): string =>
      `apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: g }\nspec: { gatewayClassName: istio, listeners: [ ${listener} ] }`;
    expect(found(gateway('{ name: a, port: 80, protocol: HTTP }, { name: a, port: 81, protocol: HTTP }'))).toEqual([
      '4 two listeners are named a',
    ]);
    expect(found(gateway('{ name: a, port: 80, protocol: HTTP, tls: {} }'))).toHaveLength(1);
    expect(found(gateway('{ name: a, port: 80, protocol: XYZ }'))).toHaveLength(1);
    expect(found(gateway('{ name: a, port: 443, protocol: HTTPS, tls: {} }'), 'warning')).toHaveLength(1);
    const tls = (said: string): string =>
      `apiVersion: gateway.networking.k8s.io/v1\nkind: BackendTLSPolicy\nmetadata: { name: t }\nspec: { targetRefs: [ { group: "", kind: Service, name: a } ], validation: { hostname: a.b, ${said} } }`;
    expect(found(tls('subjectAltNames: []'))).toHaveLength(1);
    expect(found(tls('wellKnownCACertificates: System'))).toEqual([]);
    expect(found(tls('wellKnownCACertificates: System, subjectAltNames: [ { type: URI, hostname: a.b } ]'))).toEqual([
      '4 a name of type URI has uri',
      '4 a name of type URI has no hostname',
    ]);
    const certificates = '[ { group: "", kind: ConfigMap, name: b }, { group: "", kind: ConfigMap, name: c } ]';
    expect(found(tls(`caCertificateRefs: ${certificates}`), 'warning')).toEqual([
      '4 the certificates of the first reference alone are trusted, as with Istio',
    ]);
    const twice = (first: string, second: string): string =>
      tls('wellKnownCACertificates: System').replace(
        'name: a }',
        `name: a${first} }, { group: "", kind: Service, name: a${second} }`,
      );
    expect(found(twice('', ''))).toEqual(['4 Service a is a target twice']);
    expect(found(twice('', ', sectionName: b'))).toHaveLength(1);
    expect(found(twice(', sectionName: b', ', sectionName: b'))).toHaveLength(1);
    expect(found(twice(', sectionName: b', ', sectionName: c'))).toEqual([]);
  });
});

describe('what is admitted and not obeyed is told', () => {
  it.each([
    [
      'an ExtensionRef drops the route',
      filter('type: ExtensionRef, extensionRef: { group: a.b, kind: C, name: d }'),
      /the whole route is dropped/,
    ],
    [
      'a rewrite at a backend drops it',
      route(
        '{ backendRefs: [ { name: b, port: 80, filters: [ { type: URLRewrite, urlRewrite: { hostname: a.b } } ] } ] }',
      ),
      /not known at a backend, so the whole route is dropped/,
    ],
    [
      'a host name as a backend drops it',
      route('{ backendRefs: [ { name: b.other, port: 80 } ] }'),
      /b.other is a host name/,
    ],
    [
      'session persistence',
      route(`{ sessionPersistence: { sessionName: a }, ${backend} }`),
      /sessionPersistence is not obeyed/,
    ],
    ['a status without a name', route(`{ retry: { codes: [ 555 ] }, ${backend} }`), /555 is no status that has a name/],
  ])('%s', (_, text, message) => expect(found(text, 'warning').join('\n')).toMatch(message));

  it('but not where the backend gets nothing', () => {
    const text = route('{ backendRefs: [ { name: b.other, port: 80, weight: 0 }, { name: b, port: 80 } ] }');
    expect(found(text, 'warning')).toEqual([]);
  });

  it('hostnames and sections of a Service, and a Service of the wrong group', () => {
    const text = route(`{ ${backend} }`);
    expect(found(text.replace('  rules', '  hostnames: [ a.b ]\n  rules'), 'warning')).toEqual([
      expect.stringMatching(/^6 hostnames are not obeyed/),
    ]);
    expect(found(text.replace('name: a }', 'name: a, sectionName: http }'), 'warning')).toEqual([
      expect.stringMatching(/^5 sectionName is not obeyed/),
    ]);
    expect(found(text.replace('group: "", ', ''), 'warning')).toEqual([
      expect.stringMatching(/^5 a parent of kind Service is not known/),
    ]);
  });
});

describe('what has no effect where it stands', () => {
  it('are hostnames at a Service, beside a Gateway too', () => {
    const of = (parents: string) => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r }
spec: { hostnames: [ a.test ], parentRefs: [ ${parents} ], rules: [ { ${backend} } ] }
`;
    const service = '{ group: "", kind: Service, name: a }';
    expect(found(of(`${service}, { name: edge }`), 'warning')).toEqual([
      expect.stringMatching(/^4 hostnames are not obeyed at a:/),
    ]);
    expect(found(of(service), 'warning')).toEqual([expect.stringMatching(/^4 hostnames are not obeyed:/)]);
    expect(found(of('{ name: edge }'), 'warning')).toEqual([]);
  });

  const REDIRECT = '{ type: RequestRedirect, requestRedirect: { hostname: b.test } }';
  it.each([
    [
      '{ type: RequestMirror, requestMirror: { backendRef: { name: b, port: 80 } } }',
      '',
      /RequestMirror has no effect/,
    ],
    ['{ type: RequestHeaderModifier, requestHeaderModifier: { remove: [ x ] } }', '', /RequestHeaderModifier has no/],
    ['', 'timeouts: { request: 1s }', /timeouts has no effect/],
    ['', 'retry: { attempts: 1 }', /retry has no effect/],
  ])('is %s%s beside a redirect', (filter, part, message) => {
    const filters = [REDIRECT, filter].filter((one) => one !== '').join(', ');
    const text = route(`{ filters: [ ${filters} ]${part === '' ? '' : `, ${part}`} }`);
    expect(found(text, 'warning')).toEqual([expect.stringMatching(message)]);
  });

  it('is nothing of what changes the answer', () => {
    const response = '{ type: ResponseHeaderModifier, responseHeaderModifier: { remove: [ x ] } }';
    expect(found(route(`{ filters: [ ${REDIRECT}, ${response} ] }`), 'warning')).toEqual([]);
  });

  it('is a route of a Service in a cluster of Consul', () => {
    const { resources } = readResources([{ name: 'r.yaml', text: route(`{ ${backend} }`) }], 0);
    const codes = (flavor: 'istio' | 'consul') =>
      unobeyedRoutes(resources, flavor).map(({ code, level }) => [code, level]);
    expect([codes('consul'), codes('istio')]).toEqual([[['MS0162', 'warning']], []]);
  });
});
