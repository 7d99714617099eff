import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/resources/analysis/analyze.js';
import { readResources } from '../../../src/resources/read.js';
import { appOf, workload } from '../../support/apps.js';

const APP = appOf([workload('web-v1'), workload('reviews-v1'), workload('ratings-v1')]);

/** Code, line and message of what is found in resources beside an app of web, reviews and ratings. */
function found(...documents: string[]): string[] {
  const { resources, findings } = readResources([{ name: 'r.yaml', text: documents.join('\n---\n') }], 0);
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  return analyze(resources, APP).map(({ code, source, message }) => `${code} ${source.line} ${message}`);
}

const route = (spec: string, name = 'r', created = '2024-01-01'): string =>
  `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, creationTimestamp: '${created}T00:00:00Z' }
spec: { ${spec} }`;
const onService = (service: string, more = ''): string =>
  `parentRefs: [ { group: "", kind: Service, name: ${service}${more} } ]`;
const to = (name: string): string => `backendRefs: [ { name: ${name}, port: 9080 } ]`;
const gateway = (name: string, listeners: string, more = ''): string =>
  `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: ${name} }
spec: { gatewayClassName: istio, listeners: [ ${listeners} ]${more} }`;

describe('analyze tells of routes of the Gateway API', () => {
  it('nothing where nothing is wrong', () => {
    expect(found(route(`${onService('reviews')}, rules: [ { ${to('ratings')} } ]`))).toEqual([]);
  });

  it('KIA1401: a Gateway that is not there, that does not allow it, or that does not serve its hosts', () => {
    const bound = (more = ''): string => route(`parentRefs: [ { name: gw } ], ${more} rules: [ { ${to('ratings')} } ]`);
    expect(found(bound())).toEqual([expect.stringMatching(/^KIA1401 4 the Gateway gw is not found/)]);
    const http = 'name: a, port: 80, protocol: HTTP';
    expect(found(gateway('gw', `{ ${http} }`), bound())).toEqual([]);
    expect(found(gateway('gw', `{ ${http}, allowedRoutes: { kinds: [ { kind: GRPCRoute } ] } }`), bound())).toEqual([
      expect.stringMatching(/^KIA1401 9 .*NotAllowedByListeners/),
    ]);
    expect(found(gateway('gw', `{ ${http}, hostname: a.b }`), bound('hostnames: [ c.d ],'))).toEqual([
      expect.stringMatching(/^KIA1401 9 .*NoMatchingListenerHostname/),
    ]);
  });

  it('KIA1402 and ours: Services, ports and kinds that are not there', () => {
    const backend = (ref: string): string[] =>
      found(route(`${onService('reviews')}, rules: [ { backendRefs: [ ${ref} ] } ]`));
    expect(backend('{ name: nosuch, port: 9080 }')).toEqual([expect.stringMatching(/^KIA1402 4 .* 500$/)]);
    expect(backend('{ name: ratings, port: 1 }')).toEqual([expect.stringMatching(/^KIA1402 4 .*has no port 1/)]);
    expect(backend('{ kind: Pod, name: ratings, port: 1 }')).toEqual([
      expect.stringMatching(/^MS0141 4 .*of the kind Pod/),
    ]);
    expect(found(route(`${onService('nosuch')}, rules: [ { ${to('ratings')} } ]`))).toEqual([
      expect.stringMatching(/^MS0140 4 the Service nosuch is not found/),
    ]);
    expect(found(route(`${onService('reviews', ', port: 1')}, rules: [ { ${to('ratings')} } ]`))).toEqual([
      expect.stringMatching(/^MS0140 4 reviews has no port 1/),
    ]);
  });

  it('MS0142: a Gateway route into a namespace that does not grant it; in the mesh none is needed', () => {
    const other = 'backendRefs: [ { name: ratings, namespace: other, port: 9080 } ]';
    const service =
      'apiVersion: v1\nkind: Service\nmetadata: { name: ratings, namespace: other }\nspec: { ports: [ { port: 9080, name: http } ] }';
    const listener = '{ name: a, port: 80, protocol: HTTP }';
    const bound = route(`parentRefs: [ { name: gw } ], rules: [ { ${other} } ]`);
    const codes = (...documents: string[]): string[] => found(service, ...documents).map((one) => one.slice(0, 6));
    expect(codes(gateway('gw', listener), bound)).toContain('MS0142');
    const grant = `apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: { name: g, namespace: other }
spec: { from: [ { group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: default } ], to: [ { group: "", kind: Service } ] }`;
    expect(codes(gateway('gw', listener), bound, grant)).not.toContain('MS0142');
    expect(codes(route(`${onService('reviews')}, rules: [ { ${other} } ]`))).not.toContain('MS0142');
  });

  it('MS0143, MS0144: rules that answer 500, and rules that no request reaches', () => {
    expect(
      found(route(`${onService('reviews')}, rules: [ { backendRefs: [ { name: ratings, port: 9080, weight: 0 } ] } ]`)),
    ).toEqual([expect.stringMatching(/^MS0143 4 rule 1 has backends of weight 0 only/)]);
    const rules = `rules: [ { matches: [ { path: { type: RegularExpression, value: '/a/.*' } } ], ${to('ratings')} }, { ${to('reviews')} } ]`;
    expect(found(route(`${onService('reviews')}, ${rules}`))).toEqual([
      expect.stringMatching(
        /^MS0144 4 match 1 of rule 1 is never reached: rule 2 .* every prefix goes before an expression$/,
      ),
    ]);
    const twin = `${onService('reviews')}, rules: [ { matches: [ { path: { value: /a } } ], ${to('ratings')} } ]`;
    expect(found(route(twin, 'old'), route(twin, 'young', '2024-02-01'))).toEqual([
      expect.stringMatching(/^MS0144 9 .*rule 1 of HTTPRoute default\/old meets its requests first$/),
    ]);
  });

  it('MS0145, MS0146: routes that are not merged', () => {
    const rule = (path: string): string => `rules: [ { matches: [ { path: { value: ${path} } } ], ${to('ratings')} } ]`;
    expect(
      found(
        route(`${onService('reviews')}, ${rule('/a')}`, 'old'),
        route(`${onService('reviews', ', port: 9080')}, ${rule('/b')}`, 'young', '2024-02-01'),
      ),
    ).toEqual([expect.stringMatching(/^MS0145 6 HTTPRoute default\/old .*not merged/)]);
    const service =
      'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: vs }\nspec: { hosts: [ reviews ], http: [ { route: [ { destination: { host: ratings } } ] } ] }';
    expect(found(service, route(`${onService('reviews')}, ${rule('/a')}`))).toEqual([
      expect.stringMatching(/^MS0146 1 HTTPRoute default\/r .*not merged/),
    ]);
  });

  it('MS0121 to MS0124: what retries and timeouts make of each other', () => {
    const timed = (said: string): string[] =>
      found(route(`${onService('reviews')}, rules: [ { ${said}, ${to('ratings')} } ]`)).map((one) => one.slice(0, 8));
    expect(timed('retry: { attempts: 2, codes: [ 500 ] }, timeouts: { request: 1s, backendRequest: 500ms }')).toEqual([
      'MS0123 4',
      'MS0121 4',
    ]);
    expect(timed('retry: { codes: [ 500 ] }, timeouts: { request: 1s }')).toEqual(['MS0122 4']);
    expect(timed('retry: { codes: [ 503 ] }, matches: [ { method: POST } ]')).toEqual(['MS0124 4']);
    expect(timed('retry: { attempts: 2 }, matches: [ { method: POST } ]')).toEqual([]);
    expect(timed('retry: { attempts: 0 }, timeouts: { request: 1s }')).toEqual([]);
  });

  it('KIA1501 to KIA1504: Gateways that claim the same, and a class that nobody declares', () => {
    const http = '{ name: a, port: 80, protocol: HTTP }';
    const address = ', addresses: [ { value: 10.0.0.1 } ]';
    expect(found(gateway('one', http, address), gateway('two', http, address)).map((one) => one.slice(0, 9))).toEqual([
      'KIA1501 9',
      'KIA1502 9',
    ]);
    expect(found(gateway('one', `${http}, { name: b, port: 80, protocol: HTTP }`))).toEqual([
      expect.stringMatching(/^KIA1503 4 the listener b conflicts: a serves \* on port 80/),
    ]);
    expect(found(gateway('one', http).replace('gatewayClassName: istio', 'gatewayClassName: eg'))).toEqual([
      expect.stringMatching(/^KIA1504 4 no GatewayClass eg is known/),
    ]);
  });
});
