import { describe, expect, it } from 'vitest';
import {
  authorizationPolicy,
  destinationRule,
  gateway,
  serviceEntry,
  sidecar,
  telemetry,
  told,
  virtualService,
} from './told.js';

const failover = 'loadBalancer: { localityLbSetting: { failover: [ { from: a, to: b } ] } }';
const OUTLIER = 'outlierDetection: { consecutive5xxErrors: 5 }';
const server = (protocol: string, tls: string) =>
  gateway(
    'name: a',
    `{ servers: [ { port: { number: 443, name: a, protocol: ${protocol} }, hosts: [ a.com ], tls: { ${tls} } } ] }`,
  );
const egress = (hosts: string) => sidecar('name: a', `{ egress: [ { hosts: [ ${hosts} ] } ] }`);
const entry = (hosts: string, more: string) =>
  serviceEntry('name: a', `{ hosts: [ ${hosts} ], ports: [ { number: 80, name: http, protocol: HTTP } ], ${more} }`);
const at = (name: string) =>
  virtualService(
    'name: a',
    `{ hosts: [ a.com ], gateways: [ ${name} ], http: [ { route: [ { destination: { host: b } } ] } ] }`,
  );

describe('IST0133: what Istio takes with a warning', () => {
  it.each([
    ['failover without outlierDetection', destinationRule('name: a', `{ host: a, trafficPolicy: { ${failover} } }`), 1],
    ['failover with it', destinationRule('name: a', `{ host: a, trafficPolicy: { ${failover}, ${OUTLIER} } }`), 0],
    [
      'of a subset',
      destinationRule(
        'name: a',
        `{ host: a, subsets: [ { name: v1, labels: { a: b }, trafficPolicy: { ${failover} } } ] }`,
      ),
      1,
    ],
    ['a part of a name', entry('"*a.com"', 'resolution: NONE'), 1],
    ['all names of a domain', entry('"*.a.com"', 'resolution: NONE'), 0],
    ['workloads where none is chosen', entry('a.com', 'resolution: NONE, workloadSelector: { labels: { a: b } }'), 1],
    ['workloads that are chosen', entry('a.com', 'resolution: STATIC, workloadSelector: { labels: { a: b } }'), 0],
    ['a redirect of what is no HTTP', server('TLS', 'mode: SIMPLE, credentialName: c, httpsRedirect: true'), 1],
    ['a redirect of HTTP', server('HTTP', 'httpsRedirect: true'), 0],
    ['TLS 1.0 without ciphers', server('HTTPS', 'mode: SIMPLE, credentialName: c, minProtocolVersion: TLSV1_0'), 1],
    ['TLS 1.2', server('HTTPS', 'mode: SIMPLE, credentialName: c, minProtocolVersion: TLSV1_2'), 0],
    [
      'a cipher twice',
      server('HTTPS', 'mode: SIMPLE, credentialName: c, cipherSuites: [ AES128-SHA, AES256-SHA, AES128-SHA ]'),
      1,
    ],
    ['two ciphers', server('HTTPS', 'mode: SIMPLE, credentialName: c, cipherSuites: [ AES128-SHA, AES256-SHA ]'), 0],
    [
      'two rules of tracing',
      telemetry('name: a', '{ tracing: [ { randomSamplingPercentage: 1 }, { randomSamplingPercentage: 2 } ] }'),
      1,
    ],
    ['two tracers', telemetry('name: a', '{ tracing: [ { providers: [ { name: a }, { name: b } ] } ] }'), 1],
    ['one tracer', telemetry('name: a', '{ tracing: [ { providers: [ { name: a } ] } ] }'), 0],
    ['a selector without labels', authorizationPolicy('name: a', '{ selector: {} }'), 1],
    ['a selector without labels in it', authorizationPolicy('name: a', '{ selector: { matchLabels: {} } }'), 1],
    ['a selector', authorizationPolicy('name: a', '{ selector: { matchLabels: { a: b } } }'), 0],
    ['no selector', authorizationPolicy('name: a', '{}'), 0],
    [
      'a workloadSelector without labels',
      sidecar('name: a', '{ workloadSelector: {}, egress: [ { hosts: [ ./* ] } ] }'),
      1,
    ],
    ['a host twice', egress('./a.com, ./a.com'), 1],
    ['a host by its namespace and by a dot', egress('./a.com, default/a.com'), 1],
    ['a host and all of its namespace', egress('./a.com, ./*'), 1],
    ['a host and all', egress('"*/*", x/a.com'), 1],
    ['namespaces', egress('./*, istio-system/*'), 0],
    ['a Gateway by its old name', at('gw.other.svc.cluster.local'), 1],
    ['a Gateway of another namespace', at('other/gw'), 0],
  ])('%s', (_, text, times) => {
    expect(told('IST0133', [text])).toEqual(
      Array.from({ length: times }, () => expect.stringMatching(/^IST0133 warning \w+ default\/a 4$/)),
    );
  });
});
