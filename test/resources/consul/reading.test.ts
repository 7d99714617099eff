import { describe, expect, it } from 'vitest';
import { compile } from '../../../src/compiler/compile.js';
import type { AppSpec } from '../../../src/model/app.js';
import { flavorOf } from '../../../src/model/flavor.js';
import type { MeshConfig } from '../../../src/model/mesh-config.js';
import { TRUST_DOMAIN } from '../../../src/model/names.js';
import { analyze } from '../../../src/resources/analysis/analyze.js';
import { policiesOf } from '../../../src/resources/policies.js';
import { readResources } from '../../../src/resources/read.js';
import type { Resource } from '../../../src/resources/resource.js';
import { appOf, workload } from '../../support/apps.js';

const read = (text: string, name = 'c.yaml') => readResources([{ name, text }], 1);
const crd = (kind: string, name: string, spec: string): string =>
  `apiVersion: consul.hashicorp.com/v1alpha1\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}`;
const meshOf = (app: AppSpec, resources: readonly Resource[]): MeshConfig => ({
  app,
  seed: 1,
  mtls: 'strict',
  retries: true,
  faults: [],
  flavor: flavorOf('consul'),
  trustDomain: TRUST_DOMAIN,
  policies: policiesOf(resources, 'consul'),
});
/** What is there once. */
const NAMES: Readonly<Record<string, string>> = { ProxyDefaults: 'global', Mesh: 'mesh' };
const told = (text: string) => read(text).findings.map(({ code, level, message }) => [code, level, message]);

describe('config entries', () => {
  const SPEC =
    '{ routes: [ { match: { http: { pathPrefix: /v2, methods: [ GET ] } }, destination: { service: reviews, requestTimeout: 2s, numRetries: 3 } } ] }';
  const routes = (text: string) =>
    policiesOf(read(text).resources).routeSets[0]?.rules.map(({ route: { match, action } }) => [
      match,
      { ...action, retry: null },
    ]);

  it.each([
    [
      'in CamelCase',
      '{"Kind":"service-router","Name":"web","Routes":[{"Match":{"HTTP":{"PathPrefix":"/v2","Methods":["GET"]}},"Destination":{"Service":"reviews","RequestTimeout":"2s","NumRetries":3}}]}',
    ],
    [
      'in snake_case, with what servers add',
      'kind: service-router\nname: web\nCreateIndex: 7\nModifyIndex: 8\nroutes:\n- match: { http: { path_prefix: /v2, methods: [ GET ] } }\n  destination: { service: reviews, request_timeout: 2s, num_retries: 3 }',
    ],
  ])('%s are what CRDs are', (_, text) => {
    expect(told(text)).toEqual([]);
    expect(routes(text)).toEqual(routes(crd('ServiceRouter', 'web', SPEC)));
    expect(routes(text)).toHaveLength(2);
  });

  it('of no kind of Consul are told with the nearest', () => {
    const [finding] = read('{"Kind":"service-ruoter","Name":"web"}').findings;
    expect([finding?.level, finding?.hint]).toEqual(['error', 'did you mean service-router?']);
  });

  it('in HCL are refused with what to do', () => {
    const [finding] = read('Kind = "service-router"\nName = "web"\nRoutes = []\n', 'web.hcl').findings;
    expect(finding?.level).toBe('error');
    expect(`${finding?.message} ${finding?.hint}`).toMatch(/HCL.*JSON/s);
  });
});

describe('what Consul refuses to write', () => {
  it.each([
    [
      'two paths',
      'ServiceRouter',
      '{ routes: [ { match: { http: { pathExact: /a, pathPrefix: /b } } } ] }',
      'a route matches by one of pathExact and pathPrefix',
    ],
    [
      'a rewrite of nothing',
      'ServiceRouter',
      '{ routes: [ { destination: { prefixRewrite: / } } ] }',
      'prefixRewrite needs pathExact or pathPrefix in the match',
    ],
    ['a default subset that is none', 'ServiceResolver', '{ defaultSubset: v9 }', 'defaultSubset v9 is no subset'],
    [
      'no action',
      'ServiceIntentions',
      '{ sources: [ { name: web } ] }',
      'the source web has action or permissions, one of them',
    ],
    [
      'a source twice',
      'ServiceIntentions',
      '{ sources: [ { name: web, action: allow }, { name: web, action: deny } ] }',
      'the source web stands twice',
    ],
  ])('%s', (_, kind, spec, message) => {
    expect(told(crd(kind, NAMES[kind] ?? 'web', spec))).toEqual([['IST0106', 'error', message]]);
  });

  it('an unknown key is told with the nearest one', () => {
    const [finding] = read(
      crd('ServiceRouter', 'web', '{ routes: [ { destination: { requestTimeuot: 2s } } ] }'),
    ).findings;
    expect([finding?.level, `${finding?.message} ${finding?.hint}`]).toEqual([
      'error',
      expect.stringContaining('requestTimeout'),
    ]);
  });

  it.each([
    ['ServiceIntentions', '{ sources: [ { name: web, peer: other, action: allow } ] }'],
    ['ServiceDefaults', '{ maxInboundConnections: 7 }'],
    ['ServiceResolver', "{ subsets: { v1: { filter: 'Node.Meta.zone == a' } } }"],
    ['ServiceDefaults', '{ expose: { checks: true } }'],
    ['ServiceDefaults', '{ expose: { paths: [ { path: /health, localPathPort: 9080, listenerPort: 21500 } ] } }'],
    ['ServiceDefaults', '{ mode: direct }'],
    ['ServiceDefaults', '{ transparentProxy: { dialedDirectly: true } }'],
    ['ServiceDefaults', '{ upstreamConfig: { defaults: { protocol: tcp } } }'],
    ['ServiceResolver', '{ prioritizeByLocality: { mode: failover } }'],
    ['ProxyDefaults', '{ prioritizeByLocality: { mode: failover } }'],
    ['ProxyDefaults', '{ accessLogs: { enabled: true, type: stdout } }'],
    ['ProxyDefaults', '{ transparentProxy: { outboundListenerPort: 15001 } }'],
    ['ProxyDefaults', '{ config: { local_idle_timeout_ms: 5 } }'],
    ['ProxyDefaults', '{ config: { envoy_tracing_json: "{}" } }'],
    ['ProxyDefaults', '{ config: { envoy_extra_static_clusters_json: "{}" } }'],
    ['ProxyDefaults', '{ config: { something: else } }'],
  ])('what %s says and a sandbox does not obey is a warning', (kind, spec) => {
    expect(told(crd(kind, NAMES[kind] ?? 'web', spec)).map(([code, level]) => [code, level])).toEqual([
      ['MS0001', 'warning'],
    ]);
  });
});

describe('what says what holds anyhow', () => {
  it.each([
    ['ServiceDefaults', '{ protocol: http, mode: transparent, expose: { checks: false, paths: [] } }'],
    ['ServiceDefaults', "{ mode: '', transparentProxy: { outboundListenerPort: 0, dialedDirectly: false } }"],
    ['ServiceDefaults', "{ upstreamConfig: { defaults: { protocol: '' } } }"],
    ['ServiceResolver', '{ subsets: { v1: { onlyPassing: true } }, prioritizeByLocality: { mode: none } }'],
    ['ProxyDefaults', '{ accessLogs: { enabled: false } }'],
    ['ProxyDefaults', '{ config: { protocol: http, envoy_prometheus_bind_addr: 0.0.0.0:9102, bind_port: 20000 } }'],
    ['Mesh', '{ http: { sanitizeXForwardedClientCert: true } }'],
  ])('of %s is silent: %s', (kind, spec) => {
    expect(told(crd(kind, NAMES[kind] ?? 'web', spec))).toEqual([]);
  });
});

describe('what holds for services of any namespace', () => {
  const APP = appOf([workload('web', { namespace: 'shop' }), workload('reviews')]);

  it('is the mode of mutual TLS, and how a service calls', () => {
    const text = crd(
      'ServiceDefaults',
      'web',
      '{ mutualTLSMode: permissive, upstreamConfig: { defaults: { connectTimeoutMs: 77 } } }',
    );
    const mesh = meshOf(APP, read(text).resources);
    const config = compile(mesh, [], 1).get('web');
    expect(config?.inbound.mtls).toBe('permissive');
    const reviews = config?.outbound.clusters.find(({ service }) => service === 'reviews');
    expect(reviews?.connectTimeoutMs).toBe(77);
    const others = compile(mesh, [], 1).get('reviews');
    expect(others?.inbound.mtls).toBe('strict');
  });
});

describe('analysis of Consul', () => {
  const APP = appOf([workload('web'), workload('reviews-v1'), workload('reviews-v2')]);
  const HTTP = crd('ProxyDefaults', 'global', '{ config: { protocol: http } }');
  const RESOLVER = crd('ServiceResolver', 'reviews', '{ subsets: { v1: { filter: Service.Meta.version == v1 } } }');
  const found = (...documents: readonly string[]) => {
    const { resources, findings } = read(documents.join('\n---\n'));
    expect(findings).toEqual([]);
    return analyze(resources, APP)
      .filter(({ code }) => code.startsWith('MS02'))
      .map(({ code, level, hint, source }) => [code, level, hint, source.line > 0]);
  };

  it('finds nothing where all is well', () => {
    const splitter = crd('ServiceSplitter', 'reviews', '{ splits: [ { weight: 100, serviceSubset: v1 } ] }');
    const intentions = crd(
      'ServiceIntentions',
      'reviews',
      "{ sources: [ { name: web, action: allow }, { name: '*', action: deny } ] }",
    );
    expect(found(HTTP, RESOLVER, splitter, intentions)).toEqual([]);
  });

  it.each([
    [
      'a service that there is not',
      crd('ServiceRouter', 'reviews', '{ routes: [ { destination: { service: review } } ] }'),
      ['MS0222', 'error', 'did you mean reviews?', true],
    ],
    [
      'a subset that there is not',
      crd('ServiceSplitter', 'reviews', '{ splits: [ { weight: 100, serviceSubset: v2 } ] }'),
      ['MS0223', 'error', 'did you mean v1?', true],
    ],
    [
      'a caller that there is not',
      crd('ServiceIntentions', 'reviews', '{ sources: [ { name: wbe, action: allow } ] }'),
      ['MS0226', 'warning', 'did you mean web?', true],
    ],
    [
      'a destination that there is not',
      crd('ServiceIntentions', 'review', '{ sources: [ { name: web, action: allow } ] }'),
      ['MS0222', 'error', 'did you mean reviews?', true],
    ],
  ])('%s', (_, text, finding) => {
    expect(found(HTTP, RESOLVER, text)).toEqual([finding]);
  });

  it('a subset that nobody is in', () => {
    const text = crd('ServiceResolver', 'reviews', '{ subsets: { v9: { filter: Service.Meta.version == v9 } } }');
    expect(found(HTTP, text)).toEqual([['MS0225', 'warning', 'versions are: v1, v2', true]]);
  });

  it('a router of a service whose protocol nobody declares, and one that speaks tcp', () => {
    const router = crd('ServiceRouter', 'reviews', '{ routes: [] }');
    expect(found(router).map(([code, level]) => [code, level])).toEqual([['MS0224', 'warning']]);
    const tcp = crd('ServiceDefaults', 'reviews', '{ protocol: tcp }');
    expect(found(router, tcp).map(([code, level]) => [code, level])).toEqual([['MS0220', 'error']]);
  });

  it('a protocol of requests where the file of the app says tcp', () => {
    const db = workload('db', { ports: [{ port: 3306, protocol: 'tcp' }] });
    const codes = (...documents: readonly string[]) =>
      analyze(read(documents.join('\n---\n')).resources, appOf([workload('web'), db])).map(({ code, object, hint }) => [
        code,
        object,
        hint,
      ]);
    const hint = 'a ServiceDefaults db with protocol: tcp';
    expect(codes(HTTP)).toEqual([['MS0230', 'ProxyDefaults default/global', hint]]);
    const own = (protocol: string) => crd('ServiceDefaults', 'db', `{ protocol: ${protocol} }`);
    expect(codes(own('http2'))).toEqual([['MS0230', 'ServiceDefaults default/db', hint]]);
    expect(codes(HTTP, own('tcp'))).toEqual([]);
  });

  it('permissive without the Mesh’s word', () => {
    const text = crd('ServiceDefaults', 'reviews', '{ mutualTLSMode: permissive }');
    expect(found(text).map(([code]) => code)).toEqual(['MS0221']);
    expect(found(text, crd('Mesh', 'mesh', '{ allowEnablingPermissiveMutualTLS: true }'))).toEqual([]);
  });
});
