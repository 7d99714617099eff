import { describe, expect, it } from 'vitest';
import { readResources } from '../../../src/resources/read.js';
import { destinationRule, resource, service, serviceEntry, virtualService } from '../analysis/told.js';

/** What is told as not obeyed: the field, and the line on which it stands. */
function unobeyed(text: string): string[] {
  const { findings } = readResources([{ name: 'f.yaml', text }], 0);
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  return findings
    .filter(({ code }) => code === 'MS0001')
    .map(({ message, source }) => `${source.line} ${message.replace(/ is not obeyed.*/s, '')}`);
}

const rule = (traffic: string) => destinationRule('name: a', `\n  host: reviews\n  trafficPolicy:\n    ${traffic}`);
const route = 'route: [ { destination: { host: reviews } } ]';
const entry = (more: string) =>
  serviceEntry(
    'name: a',
    `\n  hosts: [ a.example ]\n  ports: [ { number: 80, name: http, protocol: HTTP } ]\n  ${more}`,
  );

describe('what a DestinationRule says without effect is told', () => {
  it.each([
    ['connectionPool: { http: { h2UpgradePolicy: UPGRADE } }', ['connectionPool.http.h2UpgradePolicy']],
    ['connectionPool: { http: { useClientProtocol: true } }', ['connectionPool.http.useClientProtocol']],
    ['connectionPool: { http: { maxConcurrentStreams: 5 } }', ['connectionPool.http.maxConcurrentStreams']],
    ['outlierDetection: { consecutiveErrors: 5 }', ['outlierDetection.consecutiveErrors']],
  ])('%s', (traffic, fields) => {
    expect(unobeyed(rule(traffic))).toEqual(fields.map((field) => `7 spec.trafficPolicy.${field}`));
  });

  it.each([
    ['loadBalancer: { simple: PASSTHROUGH }', ['simple']],
    ['loadBalancer: { simple: RANDOM, warmup: { duration: 1s } }', ['warmup']],
    ['loadBalancer: { consistentHash: { useSourceIp: true }, warmupDurationSecs: 1s }', ['warmupDurationSecs']],
    ['tls: { mode: ISTIO_MUTUAL, sni: a.example }', ['sni']],
    ['tls: { mode: ISTIO_MUTUAL, insecureSkipVerify: true }', ['insecureSkipVerify']],
    ['tls: { mode: SIMPLE, credentialName: a }', ['credentialName']],
    ['portLevelSettings: [ { port: { number: 1 }, loadBalancer: { simple: PASSTHROUGH } } ]', ['simple']],
  ])('%s', (traffic, fields) => {
    expect(unobeyed(rule(traffic))).toEqual(fields.map((field) => `7 ${field}`));
  });

  it.each([
    'connectionPool: { http: { h2UpgradePolicy: DO_NOT_UPGRADE, useClientProtocol: false } }',
    'loadBalancer: { simple: ROUND_ROBIN, warmup: { duration: 1s } }',
    'loadBalancer: { simple: RANDOM }',
    'loadBalancer: { consistentHash: { useSourceIp: true } }',
    'tls: { mode: SIMPLE, sni: a.example, insecureSkipVerify: true }',
    'tls: { mode: ISTIO_MUTUAL, subjectAltNames: [ spiffe://cluster.local/ns/a/sa/b ] }',
  ])('and nothing of %s', (traffic) => {
    expect(unobeyed(rule(traffic))).toEqual([]);
  });
});

describe('so is what other kinds say', () => {
  it('retries in other places', () => {
    const retries = (more: string) => `{ hosts: [ a ], http: [ { ${route}, retries: { attempts: 2, ${more} } } ] }`;
    expect(unobeyed(virtualService('name: a', retries('retryRemoteLocalities: true')))).toEqual([
      '4 spec.http[0].retries.retryRemoteLocalities',
    ]);
    expect(unobeyed(virtualService('name: a', retries('retryRemoteLocalities: false')))).toEqual([]);
  });

  it('ranges of addresses and Unix sockets', () => {
    expect(unobeyed(entry('addresses: [ 192.0.2.1, 192.0.2.0/24, 192.0.2.7/32 ]'))).toEqual(['7 spec.addresses[1]']);
    expect(unobeyed(entry('resolution: STATIC'))).toEqual([]);
    const sockets = 'resolution: STATIC\n  endpoints: [ { address: 1.1.1.1 }, { address: unix:///tmp/a.sock } ]';
    expect(unobeyed(entry(sockets))).toEqual(['8 spec.endpoints[1].address']);
    const vm = resource('networking.istio.io/v1', 'WorkloadEntry', 'name: a', '{ address: unix:///tmp/a.sock }');
    expect(unobeyed(vm)).toEqual(['4 spec.address']);
  });

  it('ports that are not TCP, and nodes', () => {
    const udp = '{ hosts: [ a.example ], ports: [ { number: 53, name: dns, protocol: UDP } ] }';
    expect(unobeyed(serviceEntry('name: a', udp))).toEqual(['4 spec.ports[0].protocol']);
    const ports = '{ ports: [ { port: 53, protocol: UDP }, { port: 54, protocol: TCP }, { port: 55 } ] }';
    expect(unobeyed(service('name: a', ports))).toEqual(['4 spec.ports[0].protocol']);
    expect(unobeyed(service('name: a', '{ trafficDistribution: PreferSameNode }'))).toEqual([
      '4 spec.trafficDistribution',
    ]);
    expect(unobeyed(service('name: a', '{ trafficDistribution: PreferClose }'))).toEqual([]);
  });
});
