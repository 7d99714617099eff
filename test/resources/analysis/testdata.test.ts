import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/resources/analysis/analyze.js';
import { readResources } from '../../../src/resources/read.js';

/** What `istioctl analyze` says of its own test data (pkg/config/analysis/analyzers/testdata), told again in short. */
function codesOf(text: string, wanted: string): [string, number][] {
  const { resources } = readResources([{ name: 't.yaml', text }], 1);
  return analyze(resources, null)
    .filter(({ code }) => code === wanted)
    .map(({ object, source }) => [object, source.line]);
}

const service = (name: string, namespace: string, host: string, exportTo: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: ${namespace} }
spec: { hosts: [ "${host}" ], exportTo: [ ${exportTo} ], http: [ { route: [ { destination: { host: reviews } } ] } ] }
`;

describe('IST0109: two VirtualServices for one host', () => {
  const host = 'productpage.foo.svc.cluster.local';
  const both = (a: string, b: string) =>
    codesOf(`${service('a', 'foo', host, a)}---\n${service('b', 'bar', host, b)}`, 'IST0109').map(([object]) => object);

  it.each([
    ['both everywhere', "'*'", "'*'", true],
    ['one everywhere and one in a namespace', "'*'", 'foo', true],
    ['both in one namespace', 'foo', 'foo', true],
    ['each in its own', '.', '.', false],
    ['two that have nobody in common', 'foo', 'bar', false],
  ])('%s', (_, a, b, conflict) => {
    expect(both(a, b)).toEqual(conflict ? ['VirtualService foo/a', 'VirtualService bar/b'] : []);
  });
});

describe('IST0145: two Gateways for one host and port', () => {
  const gateway = (name: string, selector: string) => `apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: ${name} }
spec: { selector: { ${selector} }, servers: [ { port: { number: 80, name: http, protocol: HTTP }, hosts: [ foo.bar ] } ] }
`;

  it.each([
    ['one selector', 'istio: ingressgateway', 'istio: ingressgateway', true],
    ['one within the other', 'istio: ingressgateway', 'istio: ingressgateway, app: gateway', true],
    ['two that exclude each other', 'istio: ingressgateway', 'istio: egressgateway', false],
    ['two about different labels', 'istio: ingressgateway', 'app: gateway', false],
  ])('%s is told of both', (_, a, b, conflict) => {
    const told = codesOf(`${gateway('alpha', a)}---\n${gateway('beta', b)}`, 'IST0145').map(([object]) => object);
    expect(told).toEqual(conflict ? ['Gateway default/alpha', 'Gateway default/beta'] : []);
  });
});

describe('IST0150: ports of an ExternalName Service', () => {
  it.each([
    ['tcp', true],
    ['tcp-web', false],
    ['http', false],
    ['web', true],
  ])('named %s', (name, told) => {
    const text = `apiVersion: v1
kind: Service
metadata: { name: a }
spec: { type: ExternalName, externalName: a.com, ports: [ { name: ${name}, port: 443 } ] }
`;
    expect(codesOf(text, 'IST0150').length > 0).toBe(told);
  });
});

describe('IST0128: TLS that verifies nobody', () => {
  const rule = (more: string) => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: a }
spec: { host: a.com, ${more} trafficPolicy: { tls: { mode: SIMPLE, credentialName: c } } }
`;

  it.each([
    ['a credentialName that no sidecar looks up', '', true],
    ['one for chosen sidecars', 'workloadSelector: { matchLabels: { app: web } },', false],
  ])('%s', (_, more, told) => {
    expect(codesOf(rule(more), 'IST0128').length > 0).toBe(told);
  });
});

describe('IST0134: TCP without addresses', () => {
  it.each([
    ['protocol: TCP', true],
    ['name: a', true],
    ['protocol: ""', true],
    ['protocol: HTTP', false],
  ])('%s', (words, told) => {
    const text = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: a }
spec: { hosts: [ a.com ], ports: [ { number: 80, ${words} } ], resolution: DNS }
`;
    expect(codesOf(text, 'IST0134').length > 0).toBe(told);
  });
});

describe('IST0130 and IST0131: rules and matches that nothing reaches', () => {
  const of = (rules: string) => `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a }
spec: { hosts: [ a.com, b.com ], ${rules} }
`;
  const ROUTE = 'route: [ { destination: { host: reviews } } ]';

  it.each([
    ['http twice', `http: [ { match: [ { port: 80 } ], ${ROUTE} }, { match: [ { port: 80 } ], ${ROUTE} } ]`, 1, 0],
    ['tcp twice', `tcp: [ { match: [ { port: 80 } ], ${ROUTE} }, { match: [ { port: 80 } ], ${ROUTE} } ]`, 1, 0],
    ['tcp behind everything', `tcp: [ { ${ROUTE} }, { ${ROUTE} } ]`, 1, 0],
    ['tcp on two ports', `tcp: [ { match: [ { port: 80 } ], ${ROUTE} }, { match: [ { port: 81 } ], ${ROUTE} } ]`, 0, 0],
    [
      'a name of two',
      `tls: [ { match: [ { sniHosts: [ a.com, b.com ] } ], ${ROUTE} }, { match: [ { sniHosts: [ a.com ] } ], ${ROUTE} } ]`,
      1,
      0,
    ],
    [
      'two names behind one',
      `tls: [ { match: [ { sniHosts: [ a.com ] } ], ${ROUTE} }, { match: [ { sniHosts: [ a.com, b.com ] } ], ${ROUTE} } ]`,
      0,
      0,
    ],
    ['within one rule', `http: [ { match: [ { uri: { prefix: /a } }, { uri: { prefix: /a/b } } ], ${ROUTE} } ]`, 0, 1],
    [
      'one of two',
      `http: [ { match: [ { uri: { prefix: /a } } ], ${ROUTE} }, { match: [ { uri: { prefix: /a/b } }, { uri: { prefix: /c } } ], ${ROUTE} } ]`,
      0,
      1,
    ],
  ])('%s', (_, rules, unreached, ineffective) => {
    expect([codesOf(of(rules), 'IST0130').length, codesOf(of(rules), 'IST0131').length]).toEqual([
      unreached,
      ineffective,
    ]);
  });
});

describe('manifests', () => {
  it('IST0123: two ways of injection', () => {
    const of = (labels: string) => `apiVersion: v1\nkind: Namespace\nmetadata: { name: a, labels: { ${labels} } }\n`;
    expect(codesOf(of('istio-injection: enabled, istio.io/rev: canary'), 'IST0123')).toHaveLength(1);
    expect(codesOf(of('istio-injection: enabled'), 'IST0123')).toEqual([]);
  });

  it('IST0144: an app that runs as the sidecar does', () => {
    const of = (spec: string) =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: a }\nspec: { template: { spec: { ${spec} } } }\n`;
    expect(codesOf(of('securityContext: { runAsUser: 1337 }, containers: []'), 'IST0144')).toHaveLength(1);
    expect(codesOf(of('containers: [ { name: a, securityContext: { runAsUser: 1337 } } ]'), 'IST0144')).toHaveLength(1);
    expect(codesOf(of('containers: [ { name: a, securityContext: { runAsUser: 1000 } } ]'), 'IST0144')).toEqual([]);
  });
});
