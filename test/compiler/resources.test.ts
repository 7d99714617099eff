import { describe, expect, it } from 'vitest';
import { compile } from '../../src/compiler/compile.js';
import type { OutboundConfig } from '../../src/model/sidecar-config.js';
import { policiesOf } from '../../src/resources/policies.js';
import { readResources } from '../../src/resources/read.js';
import { appOf, workload } from '../support/apps.js';
import { meshConfigOf } from '../support/mesh-config.js';

/** What the sidecar of web is told when these resources are applied. */
function outboundOf(...documents: readonly string[]): OutboundConfig {
  const { resources, findings } = readResources([{ name: 'f.yaml', text: documents.join('\n---\n') }], 0);
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  const near = { locality: 'eu/a/1' };
  const workloads = [
    workload('web', near),
    workload('reviews-v1', near),
    workload('reviews-v2', { locality: 'eu/a/2' }),
    workload('reviews-v3', { locality: 'us/a/1' }),
  ];
  const ready = workloads.map(({ name }, i) => ({ workload: name, address: `10.0.0.${i}`, ports: { 9080: 15_006 } }));
  const config = compile(meshConfigOf(appOf(workloads), { policies: policiesOf(resources) }), ready, 1).get('web');
  if (config === undefined) throw new Error('web has no configuration');
  return config.outbound;
}

const clusterOf = (outbound: OutboundConfig, subset = '') =>
  outbound.clusters.find(({ name }) => name === `outbound|9080|${subset}|reviews.default.svc.cluster.local`);

describe('addresses of a ServiceEntry', () => {
  it('are a listener each', () => {
    const { listeners } = outboundOf(`apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: db }
spec:
  hosts: [ db.example ]
  addresses: [ 192.0.2.1, 198.51.100.0/24, 192.0.2.2/32 ]
  ports: [ { number: 3306, name: tcp, protocol: TCP }, { number: 53, name: dns, protocol: UDP } ]
  resolution: STATIC
  endpoints: [ { address: 192.0.2.9 } ]`);
    const own = listeners.filter(({ service }) => service === 'db.example');
    expect(own.map(({ virtualIp, port }) => `${virtualIp}:${port}`)).toEqual(['192.0.2.1:3306', '192.0.2.2:3306']);
  });
});

describe('what a subset says of a port', () => {
  const rule = (subset: string) => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec:
  host: reviews
  trafficPolicy: { connectionPool: { tcp: { maxConnections: 5 } }, loadBalancer: { simple: RANDOM } }
  subsets: [ { name: v1, labels: { version: v1 }, trafficPolicy: { ${subset} } } ]`;

  it('is all that holds there', () => {
    const settings = 'loadBalancer: { simple: ROUND_ROBIN }';
    const on = (port: number) =>
      clusterOf(outboundOf(rule(`portLevelSettings: [ { port: { number: ${port} }, ${settings} } ]`)), 'v1');
    expect(on(9080)?.balancing.algorithm.kind).toBe('round-robin');
    expect(on(9080)?.limits.maxConnections).toBeNull();
    expect(on(9081)?.balancing.algorithm.kind).toBe('random');
    expect(on(9081)?.limits.maxConnections).toBe(5);
    const whole = clusterOf(outboundOf(rule(settings)), 'v1');
    expect([whole?.balancing.algorithm.kind, whole?.limits.maxConnections]).toEqual(['round-robin', 5]);
  });
});

describe('settings without effect in Istio', () => {
  const rule = (traffic: string) =>
    clusterOf(
      outboundOf(`apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews, trafficPolicy: { ${traffic} } }`),
    );

  it('are consecutiveErrors, and a warm-up where it is drawn or hashed', () => {
    expect(rule('outlierDetection: { consecutiveErrors: 2 }')?.ejection).toMatchObject({ consecutive5xx: 5 });
    const slow = (balancer: string) =>
      rule(`loadBalancer: { ${balancer}, warmup: { duration: 1s } }`)?.balancing.slowStart;
    expect(slow('simple: RANDOM')).toBeNull();
    expect(slow('consistentHash: { useSourceIp: true }')).toBeNull();
    expect(slow('simple: ROUND_ROBIN')).toMatchObject({ windowMs: 1_000 });
    expect(slow('simple: LEAST_REQUEST')).toMatchObject({ windowMs: 1_000 });
  });
});

describe('a Service that prefers near endpoints', () => {
  const service = (spec = '', annotations = '') => `apiVersion: v1
kind: Service
metadata: { name: reviews, annotations: { ${annotations} } }
spec: { selector: { app: reviews }, ports: [ { name: http, port: 9080 } ]${spec} }`;
  const levels = (...documents: string[]) => clusterOf(outboundOf(...documents))?.endpoints.map((one) => one.priority);

  it.each([
    ['its field', [service(', trafficDistribution: PreferClose')], [0, 0, 1]],
    ['its field, of a node', [service(', trafficDistribution: PreferSameNode')], [0, 1, 2]],
    ['its annotation', [service('', 'networking.istio.io/traffic-distribution: PreferSameZone')], [0, 0, 1]],
    [
      'that of its namespace',
      [
        service(),
        'apiVersion: v1\nkind: Namespace\nmetadata: { name: default, annotations: { networking.istio.io/traffic-distribution: PreferClose } }',
      ],
      [0, 0, 1],
    ],
    ['nothing', [service()], [0, 0, 0]],
  ])('%s', (_, documents, expected) => {
    expect(levels(...documents)).toEqual(expected);
  });

  it('a DestinationRule goes before it', () => {
    const off = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews, trafficPolicy: { loadBalancer: { localityLbSetting: { enabled: false } } } }`;
    expect(levels(service(', trafficDistribution: PreferClose'), off)).toEqual([0, 0, 0]);
  });
});

describe('a Service that is exported to its own namespace', () => {
  it('is seen by nobody else', () => {
    const shop = (to: string) => `apiVersion: v1
kind: Service
metadata: { name: shop, namespace: other, annotations: { networking.istio.io/exportTo: '${to}' } }
spec: { ports: [ { name: http, port: 80 } ] }`;
    const seen = (to: string) => outboundOf(shop(to)).clusters.some(({ service }) => service === 'shop.other');
    expect(['.', '~', 'other,default', '*'].map(seen)).toEqual([false, false, true, true]);
  });
});

describe('names of names', () => {
  it('are followed, and a circle leads nowhere', () => {
    const alias = (name: string, to: string) => `apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec: { type: ExternalName, externalName: ${to}.default.svc.cluster.local, ports: [ { name: http, port: 9080 } ] }`;
    const { virtualHosts } = outboundOf(alias('a', 'b'), alias('b', 'reviews'), alias('c', 'd'), alias('d', 'c'));
    const domains = virtualHosts.find(({ name }) => name === 'reviews')?.domains;
    expect(domains).toEqual(expect.arrayContaining(['reviews', 'a', 'b']));
    expect(virtualHosts.map(({ name }) => name)).toEqual(expect.arrayContaining(['c', 'd']));
    expect(virtualHosts.map(({ name }) => name)).not.toContain('a');
  });
});
