import { describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import {
  authorizationPolicy,
  deployment,
  gateway,
  requestAuthentication,
  resource,
  sidecar,
  telemetry,
  told,
  virtualService,
} from './told.js';

describe('IST0138: one certificate at two Gateways', () => {
  const of = (name: string, tls: string, selector = 'istio: ingressgateway') =>
    gateway(
      `name: ${name}`,
      `{ selector: { ${selector} }, servers: [ { port: { number: 443, name: https, protocol: HTTPS }, hosts: [ ${name}.com ], tls: { mode: SIMPLE, ${tls} } } ] }`,
    );
  const both = ['IST0138 warning Gateway default/a 4', 'IST0138 warning Gateway default/b 9'];
  const files = (name: string) => `serverCertificate: /etc/${name}.pem, privateKey: /etc/${name}.key`;

  it.each([
    ['one credential', of('a', 'credentialName: c'), of('b', 'credentialName: c'), both],
    ['two', of('a', 'credentialName: c'), of('b', 'credentialName: d'), []],
    ['a credential and files', of('a', 'credentialName: c'), of('b', files('c')), []],
    ['the same files', of('a', files('c')), of('b', files('c')), both],
    ['the same certificate of other keys', of('a', files('c')), of('b', 'serverCertificate: /etc/c.pem'), []],
    ['nothing said', of('a', ''), of('b', ''), []],
    ['other gateways', of('a', 'credentialName: c'), of('b', 'credentialName: c', 'app: other'), []],
    [
      'a gateway within the other',
      of('a', 'credentialName: c'),
      of('b', 'credentialName: c', 'istio: ingressgateway, app: web'),
      ['IST0138 warning Gateway default/a 4'],
    ],
  ])('%s', (_, a, b, expected) => {
    expect(told('IST0138', [a, b])).toEqual(expected);
  });
});

describe('IST0140: subsets that what enters by a gateway does not see', () => {
  const route = (host: string, subset = '') =>
    `http: [ { route: [ { destination: { host: ${host}${subset === '' ? '' : `, subset: ${subset}`} } } ] } ]`;
  const at = (gateways: string, http: string) =>
    virtualService('name: entry', `{ hosts: [ a.com ], gateways: [ ${gateways} ], ${http} }`);
  const within = virtualService('name: reviews', `{ hosts: [ reviews ], ${route('reviews', 'v1')} }`);
  const full = virtualService(
    'name: reviews, namespace: other',
    `{ hosts: [ reviews.default.svc.cluster.local ], ${route('reviews.default.svc.cluster.local', 'v1')} }`,
  );

  it.each([
    ['a route without a subset', [within, at('gw', route('reviews'))], true],
    ['of another namespace', [full, at('gw', route('reviews'))], true],
    ['a route with one', [within, at('gw', route('reviews', 'v2'))], false],
    ['to another host', [within, at('gw', route('ratings'))], false],
    ['in the mesh only', [within, at('mesh', route('reviews'))], false],
    [
      'itself',
      [
        virtualService(
          'name: entry',
          '{ hosts: [ reviews ], gateways: [ mesh, gw ], http: [ { match: [ { uri: { prefix: /a } } ], route: [ { destination: { host: reviews, subset: v1 } } ] }, { route: [ { destination: { host: reviews } } ] } ] }',
        ),
      ],
      false,
    ],
  ])('%s', (_, documents, expected) => {
    expect(told('IST0140', documents).map((one) => one.slice(0, 42))).toEqual(
      expected ? ['IST0140 warning VirtualService default/ent'] : [],
    );
  });
});

describe('IST0149: routes by claims that nobody verifies', () => {
  const GATEWAY = gateway(
    'name: gw',
    '{ selector: { istio: ingressgateway }, servers: [ { port: { number: 80, name: http, protocol: HTTP }, hosts: [ "*" ] } ] }',
  );
  const by = (match: string) =>
    virtualService(
      'name: a',
      `{ hosts: [ "*" ], gateways: [ gw ], http: [ { match: [ { ${match} } ], route: [ { destination: { host: reviews } } ] } ] }`,
    );
  const CLAIM = 'headers: { "@request.auth.claims.group": { exact: admin } }';
  const verifier = (selector: string) =>
    requestAuthentication(
      'name: j, namespace: istio-system',
      `{ ${selector}jwtRules: [ { issuer: me, jwks: '{"keys":[]}' } ] }`,
    );

  it.each([
    ['no RequestAuthentication', [GATEWAY, by(CLAIM)], true],
    ['a claim that there must not be', [GATEWAY, by(CLAIM.replace('headers', 'withoutHeaders'))], true],
    ['one of others', [GATEWAY, by(CLAIM), verifier('selector: { matchLabels: { istio: other } }, ')], true],
    [
      'one of the gateway',
      [GATEWAY, by(CLAIM), verifier('selector: { matchLabels: { istio: ingressgateway } }, ')],
      false,
    ],
    [
      'one that may be of the gateway',
      [GATEWAY, by(CLAIM), verifier('selector: { matchLabels: { app: web } }, ')],
      false,
    ],
    ['one of all', [GATEWAY, by(CLAIM), verifier('')], false],
    ['a Gateway that there is not', [by(CLAIM)], false],
    ['a header', [GATEWAY, by('headers: { x: { exact: admin } }')], false],
  ])('%s', (_, documents, expected) => {
    expect(told('IST0149', documents)).toEqual(
      expected ? [expect.stringMatching(/^IST0149 error VirtualService default\/a/)] : [],
    );
  });
});

describe('IST0165: Gateways that Istio makes for itself', () => {
  const of = (name: string) =>
    virtualService(
      'name: a',
      `{ hosts: [ a.com ], gateways: [ ${name} ], http: [ { route: [ { destination: { host: reviews } } ] } ] }`,
    );

  it('is told instead of that it is not there', () => {
    expect(told('IST0101 IST0165', [of('ns/gw-istio-autogenerated-k8s-gateway-http')])).toEqual([
      'IST0165 warning VirtualService default/a 4',
    ]);
    expect(told('IST0101 IST0165', [of('ns/gw')])).toEqual(['IST0101 error VirtualService default/a 4']);
  });
});

describe('IST0166: selectors at Gateways of the Gateway API', () => {
  const GATEWAY = resource(
    'gateway.networking.k8s.io/v1',
    'Gateway',
    'name: gw',
    '{ gatewayClassName: istio, listeners: [ { name: http, port: 80, protocol: HTTP } ] }',
  );
  const NAME = 'gateway.networking.k8s.io/gateway-name';
  const select = (labels: string) => `selector: { matchLabels: { ${labels} } }`;

  it.each([
    ['AuthorizationPolicy', authorizationPolicy('name: p', `{ ${select(`${NAME}: gw`)} }`), true],
    ['RequestAuthentication', requestAuthentication('name: p', `{ ${select(`${NAME}: gw`)} }`), true],
    ['Telemetry', telemetry('name: p', `{ ${select(`${NAME}: gw`)} }`), true],
    ['of another Gateway', telemetry('name: p', `{ ${select(`${NAME}: other`)} }`), false],
    ['of another namespace', telemetry('name: p, namespace: x', `{ ${select(`${NAME}: gw`)} }`), false],
    ['with a targetRef', telemetry('name: p', '{ targetRefs: [ { kind: Gateway, name: gw } ] }'), false],
    ['other labels', telemetry('name: p', `{ ${select('app: gw')} }`), false],
  ])('%s', (_, policy, expected) => {
    // The pods of the Gateway are there, though no file holds them.
    const web = deployment('name: web', '{ template: { metadata: { labels: { app: gw } } } }');
    expect(told('IST0127 IST0166', [GATEWAY, web, policy]).map((one) => one.slice(0, 15))).toEqual(
      expected ? ['IST0166 warning'] : [],
    );
  });
});

describe('KIA0302: Gateways of no workload', () => {
  const of = (selector: string) =>
    gateway(
      'name: a',
      `{ selector: { ${selector} }, servers: [ { port: { number: 80, name: http, protocol: HTTP }, hosts: [ "*" ] } ] }`,
    );
  const EDGE = deployment('name: edge, namespace: edge', '{ template: { metadata: { labels: { istio: edge } } } }');

  it.each([
    ['istio: other', true],
    ['istio: edge', false],
    ['istio: ingressgateway', false],
    ['istio: egressgateway', false],
    ['app: istio-ingress', false],
  ])('%s', (selector, expected) => {
    expect(told('KIA0302', [EDGE, of(selector)])).toEqual(expected ? ['KIA0302 warning Gateway default/a 9'] : []);
    expect(told('KIA0302', [of(selector)])).toEqual([]);
  });
});

describe('what the gateway does not see, or has no port for', () => {
  const servers = (...all: string[]) =>
    gateway('name: g', `{ selector: { istio: ingressgateway }, servers: [ ${all.join(', ')} ] }`);
  const server = (number: number) =>
    `{ port: { number: ${number}, name: h${number}, protocol: HTTP }, hosts: [ a.com ] }`;
  const bound = (more: string) =>
    virtualService(
      'name: a',
      `{ hosts: [ a.com ], gateways: [ g ], http: [ { directResponse: { status: 204 } } ], ${more} }`,
    );

  it.each([
    ['.', ['MS0161 warning VirtualService default/a 9']],
    ['shop', ['MS0161 warning VirtualService default/a 9']],
    ['*', []],
    ['istio-system', []],
  ])('exportTo: [ "%s" ]', (exportTo, expected) => {
    expect(told('MS0161', [servers(server(80)), bound(`exportTo: [ "${exportTo}" ]`)])).toEqual(expected);
  });

  it('is told of each further port once', () => {
    const unobeyed = (...numbers: number[]) => told('MS0001', [servers(...numbers.map(server))]).length;
    expect([unobeyed(80), unobeyed(80, 80), unobeyed(80, 8080), unobeyed(80, 8080, 8080, 81)]).toEqual([0, 0, 1, 2]);
  });

  it.each([
    ['tls: { backend: { clientCertificateRef: { name: c } } }', 1],
    ['addresses: [ { value: 10.0.0.1 } ]', 1],
    ['allowedListeners: { namespaces: { from: All } }', 1],
    ['infrastructure: { labels: { a: b } }', 0],
    ['allowedListeners: { namespaces: { from: None } }', 0],
  ])('%s of a Gateway of the Gateway API', (field, count) => {
    const spec = `{ gatewayClassName: istio, listeners: [ { name: h, port: 80, protocol: HTTP } ], ${field} }`;
    expect(told('MS0001', [resource('gateway.networking.k8s.io/v1', 'Gateway', 'name: g', spec)])).toHaveLength(count);
  });
});

it('is told of a further port of a Gateway of the Gateway API', () => {
  const of = (port: number) =>
    `{ gatewayClassName: istio, listeners: [ { name: a, port: 80, protocol: HTTP, hostname: a.com }, { name: b, port: ${port}, protocol: HTTP, hostname: b.com } ] }`;
  const unobeyed = (port: number) =>
    told('MS0001', [resource('gateway.networking.k8s.io/v1', 'Gateway', 'name: g', of(port))]).length;
  expect([unobeyed(80), unobeyed(8080)]).toEqual([0, 1]);
});

describe('action CUSTOM at the gateway, which asks nobody', () => {
  const custom = (metadata: string, selector = '') =>
    authorizationPolicy(metadata, `{ ${selector} action: CUSTOM, provider: { name: p }, rules: [ {} ] }`);

  it.each([
    ['by its label', custom('name: a', 'selector: { matchLabels: { istio: ingressgateway } },'), 1],
    ['in the root namespace', custom('name: a, namespace: istio-system'), 1],
    [
      'of an app in the root namespace',
      custom('name: a, namespace: istio-system', 'selector: { matchLabels: { app: web } },'),
      0,
    ],
    ['of the namespace of the app', custom('name: a'), 0],
  ])('%s', (_, document, count) => {
    expect(told('MS0001', [document])).toHaveLength(count);
  });
});

describe('a service that a Sidecar hides', () => {
  const APP = appOf([workload('web'), workload('reviews')]);
  const hiding = (hosts: string, more = '') => sidecar('name: s', `{ egress: [ { hosts: [ ${hosts} ] } ]${more} }`);

  it.each([
    ['"./web.default.svc.cluster.local"', '', 1],
    ['"./web.default.svc.cluster.local"', ', outboundTrafficPolicy: { mode: ALLOW_ANY }', 1],
    ['"./web.default.svc.cluster.local"', ', outboundTrafficPolicy: { mode: REGISTRY_ONLY }', 0],
    ['"~/*"', '', 1],
    ['"./*"', '', 0],
    ['"*/*"', '', 0],
    ['"default/*"', '', 0],
  ])('by %s%s', (hosts, more, count) => {
    expect(told('MS0001', [hiding(hosts, more)], APP)).toHaveLength(count);
  });
});
