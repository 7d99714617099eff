import { describe, expect, it } from 'vitest';
import { readResources } from '../../../src/resources/read.js';

const of = (group: string) => (kind: string, spec: string) =>
  `apiVersion: ${group}.istio.io/v1\nkind: ${kind}\nmetadata: { name: a, namespace: default }\nspec: ${spec}`;
const net = of('networking');
const sec = of('security');

function told(text: string): { errors: string[]; warnings: string[] } {
  const { findings } = readResources([{ name: 'i.yaml', text }], 1);
  for (const { source } of findings) expect(source.line).toBeGreaterThan(0);
  const of_ = (wanted: string) => findings.filter(({ level }) => level === wanted).map(({ message }) => message);
  return { errors: of_('error'), warnings: of_('warning') };
}

const entry = (more: string) => net('ServiceEntry', `{ hosts: [ a.example.com ], ${more} }`);
const service = (more: string) => net('VirtualService', `{ hosts: [ reviews ], ${more} }`);
const ROUTE = 'route: [ { destination: { host: reviews } } ]';
const rule = (more: string) => net('DestinationRule', `{ host: reviews, trafficPolicy: ${more} }`);

describe('Istio’s admission refuses', () => {
  it.each([
    ['ServiceEntry: no hosts', net('ServiceEntry', '{ hosts: [] }'), 'at least one host'],
    ['ServiceEntry: every host', net('ServiceEntry', "{ hosts: [ '*' ] }"), 'stands for everything'],
    [
      'ServiceEntry: two sources of endpoints',
      entry('resolution: STATIC, workloadSelector: { labels: { a: b } }, endpoints: [ { address: 1.1.1.1 } ]'),
      'a workloadSelector or endpoints',
    ],
    [
      'ServiceEntry: hosts that nothing tells apart',
      net(
        'ServiceEntry',
        '{ hosts: [ a.example.com, b.example.com ], ports: [ { number: 3306, name: db, protocol: MYSQL } ], resolution: DNS }',
      ),
      'name no host, and there are 2 hosts',
    ],
    ['ServiceEntry: a wildcard selector', entry("workloadSelector: { labels: { a: '*' } }"), 'without wildcards'],
    ['ServiceEntry: a range with DNS', entry('resolution: DNS, addresses: [ 10.0.0.0/8 ]'), 'not a range'],
    [
      'ServiceEntry: a port twice',
      entry('ports: [ { number: 80, name: a }, { number: 80, name: b } ]'),
      '80 stands twice',
    ],
    [
      'ServiceEntry: a name twice',
      entry('ports: [ { number: 80, name: a }, { number: 81, name: a } ]'),
      'name a stands twice',
    ],
    ['ServiceEntry: NONE with endpoints', entry('endpoints: [ { address: 1.1.1.1 } ]'), 'with resolution NONE'],
    [
      'ServiceEntry: round robin of two',
      entry('resolution: DNS_ROUND_ROBIN, endpoints: [ { address: a.b }, { address: c.d } ]'),
      'there is one endpoint',
    ],
    [
      'ServiceEntry: STATIC with a name',
      entry('resolution: STATIC, endpoints: [ { address: a.b } ]'),
      'must be an address',
    ],
    [
      'ServiceEntry: a protocol that is none',
      entry('ports: [ { number: 80, protocol: BOGUS } ]'),
      'BOGUS is no protocol',
    ],
    [
      'ServiceEntry: a wildcard to look up',
      net('ServiceEntry', "{ hosts: [ '*.a.com' ], resolution: DNS }"),
      'cannot be looked up',
    ],
    ['WorkloadEntry: no address', net('WorkloadEntry', '{ labels: { a: b } }'), 'it has no address'],
    [
      'WorkloadEntry: a socket that is a folder',
      net('WorkloadEntry', '{ address: "unix:///a/" }'),
      'no path of a socket',
    ],
    [
      'WorkloadEntry: a socket with ports',
      net('WorkloadEntry', '{ address: "unix:///a", ports: { http: 80 } }'),
      'has no ports',
    ],
    ['Sidecar: a host without namespace', net('Sidecar', '{ egress: [ { hosts: [ reviews ] } ] }'), 'has no namespace'],
    ['Sidecar: no hosts', net('Sidecar', '{ egress: [ { hosts: [] } ] }'), 'at least one host'],
    ['Sidecar: nothing', net('Sidecar', '{ workloadSelector: { labels: { a: b } } }'), 'says nothing'],
    ['Gateway: no servers', net('Gateway', '{ selector: { istio: ingressgateway } }'), 'at least one server'],
    [
      'Gateway: no hosts',
      net('Gateway', '{ servers: [ { port: { number: 80, name: a, protocol: HTTP } } ] }'),
      'at least one host',
    ],
    [
      'Gateway: no name',
      net('Gateway', '{ servers: [ { port: { number: 80, protocol: HTTP }, hosts: [ a ] } ] }'),
      'has no name',
    ],
    [
      'Gateway: a protocol that is none',
      net('Gateway', '{ servers: [ { port: { number: 80, name: a, protocol: FOO }, hosts: [ a ] } ] }'),
      'FOO is no protocol',
    ],
    [
      'Gateway: HTTPS without tls',
      net('Gateway', '{ servers: [ { port: { number: 443, name: a, protocol: HTTPS }, hosts: [ a ] } ] }'),
      'has tls',
    ],
    [
      'PeerAuthentication: a port that is none',
      sec('PeerAuthentication', '{ selector: { matchLabels: { a: b } }, portLevelMtls: { acd: { mode: STRICT } } }'),
      'acd is no port',
    ],
    [
      'PeerAuthentication: no port',
      sec('PeerAuthentication', '{ selector: { matchLabels: { a: b } }, portLevelMtls: {} }'),
      'says nothing',
    ],
    [
      'VirtualService: two ways to compare',
      service(`http: [ { match: [ { uri: { exact: /a, prefix: /b } } ], ${ROUTE} } ]`),
      'not by exact and prefix',
    ],
    ['VirtualService: tcp to nowhere', service('tcp: [ { match: [ { port: 80 } ] } ]'), 'leads nowhere'],
    [
      'VirtualService: tcp without weight',
      service(
        'tcp: [ { route: [ { destination: { host: a }, weight: 0 }, { destination: { host: b }, weight: 0 } ] } ]',
      ),
      'total destination weight = 0',
    ],
    [
      'VirtualService: a name that is no host',
      service(`tls: [ { match: [ { sniHosts: [ b.com ] } ], ${ROUTE} } ]`),
      'none of the hosts',
    ],
    ['VirtualService: tls about nothing', service(`tls: [ { ${ROUTE} } ]`), 'which names it is about'],
    [
      'VirtualService: a wildcard in the middle',
      net('VirtualService', `{ hosts: [ 're*views' ], http: [ { ${ROUTE} } ] }`),
      'is no host',
    ],
    ['VirtualService: nowhere', service("http: [ { route: [ { destination: { host: '*' } } ] } ]"), 'is nowhere'],
    [
      'VirtualService: a subset that is no name',
      service('http: [ { route: [ { destination: { host: a, subset: "v 1" } } ] } ]'),
      'no name of a subset',
    ],
    [
      'VirtualService: a header that is none',
      service(`http: [ { match: [ { headers: { "bad header": { exact: a } } } ], ${ROUTE} } ]`),
      'no name of a header',
    ],
    [
      'VirtualService: half a weight',
      service(
        'http: [ { route: [ { destination: { host: a }, weight: 33.3 }, { destination: { host: b }, weight: 66.7 } ] } ]',
      ),
      'a whole number',
    ],
    [
      'VirtualService: exported to all and some',
      service(`exportTo: [ '*', '.' ], http: [ { ${ROUTE} } ]`),
      '* and others',
    ],
    [
      'VirtualService: exported to no namespace',
      service(`exportTo: [ Not_A_Ns ], http: [ { ${ROUTE} } ]`),
      'is no namespace',
    ],
    [
      'VirtualService: claims in the mesh',
      service(`http: [ { match: [ { headers: { "@request.auth.claims.a": { exact: b } } } ], ${ROUTE} } ]`),
      'for gateways only',
    ],
    ['DestinationRule: warmup of no length', rule('{ loadBalancer: { warmup: { aggression: 2 } } }'), 'says how long'],
    [
      'DestinationRule: aggression',
      rule('{ loadBalancer: { warmup: { duration: 3s, aggression: 0.3 } } }'),
      'at least 1',
    ],
    ['DestinationRule: MUTUAL without certificates', rule('{ tls: { mode: MUTUAL } }'), 'needs a certificate'],
    [
      'DestinationRule: ISTIO_MUTUAL with certificates',
      rule('{ tls: { mode: ISTIO_MUTUAL, privateKey: /a } }'),
      'none are named',
    ],
    [
      'DestinationRule: shares of places',
      rule('{ loadBalancer: { localityLbSetting: { distribute: [ { from: a, to: { a: 70 } } ] } } }'),
      'these to 70',
    ],
    [
      'DestinationRule: failover to itself',
      rule('{ loadBalancer: { localityLbSetting: { failover: [ { from: a, to: a } ] } } }'),
      'leads back',
    ],
    [
      'DestinationRule: a port without number',
      rule('{ portLevelSettings: [ { tls: { mode: DISABLE } } ] }'),
      'name it',
    ],
    ['DestinationRule: a hash of nothing', rule('{ loadBalancer: { consistentHash: {} } }'), 'by nothing'],
    ['DestinationRule: nothing', rule('{}'), 'says nothing'],
  ])('%s', (_, text, message) => {
    expect(told(text).errors).toEqual(expect.arrayContaining([expect.stringContaining(message)]));
  });
});

describe('Istio takes', () => {
  it.each([
    [
      'what a sandbox does not obey, and tells',
      rule('{ tunnel: { protocol: CONNECT, targetHost: a, targetPort: 443 } }'),
      1,
    ],
    ['PROXY protocol alone', rule('{ proxyProtocol: { version: V2 } }'), 1],
    [
      'keep-alive of HTTP/2',
      rule('{ connectionPool: { http: { http2KeepAlive: { interval: 15s, timeout: 5s } } } }'),
      0,
    ],
    [
      'metadata of filters',
      sec(
        'AuthorizationPolicy',
        '{ rules: [ { when: [ { key: "experimental.envoy.filters.a.b[c]", values: [ d ] } ] } ] }',
      ),
      1,
    ],
    [
      'a kind that is not read, without a name',
      'apiVersion: install.istio.io/v1alpha1\nkind: IstioOperator\nspec: { profile: demo }',
      1,
    ],
    ['a delay of no length', service(`http: [ { fault: { delay: { percent: 50 } }, ${ROUTE} } ]`), 0],
    ['an abort of no status', service(`http: [ { fault: { abort: { percentage: { value: 10 } } }, ${ROUTE} } ]`), 0],
    [
      'a waypoint',
      'apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\nmetadata: { name: w }\nspec: { gatewayClassName: istio-waypoint, listeners: [ { name: mesh, port: 15008, protocol: HBONE } ] }',
      2,
    ],
    [
      'an egress gateway, which is told to have no effect',
      net(
        'Gateway',
        '{ selector: { istio: egressgateway }, servers: [ { port: { number: 80, name: http, protocol: HTTP }, hosts: [ edition.cnn.com ] } ] }',
      ),
      1,
    ],
    [
      'a server of connections, which is told to be served by nobody',
      net(
        'Gateway',
        "{ selector: { istio: ingressgateway }, servers: [ { port: { number: 31400, name: tcp, protocol: TCP }, hosts: [ '*' ] } ] }",
      ),
      1,
    ],
    [
      'claims at a gateway, which are told not to be looked at',
      net(
        'VirtualService',
        `{ hosts: [ a.com ], gateways: [ g ], http: [ { match: [ { headers: { "@request.auth.claims.a": { exact: b } } } ], ${ROUTE} } ] }`,
      ),
      1,
    ],
    ['exportTo ~', entry("exportTo: [ '~' ]"), 0],
  ])('%s', (_, text, warnings) => {
    const found = told(text);
    expect(found.errors).toEqual([]);
    expect(found.warnings).toHaveLength(warnings);
  });
});
