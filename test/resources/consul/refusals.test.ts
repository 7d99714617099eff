import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/resources/analysis/analyze.js';
import { readResources } from '../../../src/resources/read.js';
import { entry } from '../../features/consul/entries.js';
import { appOf, workload } from '../../support/apps.js';

const APP = appOf([workload('web'), workload('reviews'), workload('ratings')]);

/** What reading and analysis say, the errors alone. */
function errorsOf(text: string): string[] {
  const { resources, findings } = readResources([{ name: 'c.yaml', text }], 1);
  const all = [...findings, ...analyze(resources, APP)];
  const errors = all.filter(({ level }) => level === 'error');
  for (const { source } of errors) expect(source.line).toBeGreaterThan(0);
  return errors.map(({ message }) => message);
}

const resolver = (spec: string) => entry('ServiceResolver', 'reviews', spec);
const router = (routes: string) => entry('ServiceRouter', 'reviews', `{ routes: ${routes} }`);
const splitter = (splits: string) => entry('ServiceSplitter', 'reviews', `{ splits: ${splits} }`);
const intentions = (spec: string) => entry('ServiceIntentions', 'reviews', spec);
const permission = (http: string) =>
  intentions(`{ sources: [ { name: web, permissions: [ { action: deny, http: ${http} } ] } ] }`);
const http = (...names: readonly string[]) =>
  names.map((name) => entry('ServiceDefaults', name, '{ protocol: http }')).join('\n---\n');

describe('Consul refuses', () => {
  it.each([
    ['a splitter of nothing', entry('ServiceSplitter', 'reviews', '{}'), 'it splits nothing'],
    ['a splitter without a spec', entry('ServiceSplitter', 'reviews', ''), 'it splits nothing'],
    ['a splitter of nothing, as JSON', '{"Kind":"service-splitter","Name":"reviews"}', 'it splits nothing'],
    [
      'the same split twice',
      splitter('[ { weight: 50 }, { weight: 50 } ]'),
      'the same destination has a share already',
    ],
    ['a redirect to nowhere', resolver('{ redirect: {} }'), 'the redirect is empty'],
    [
      'a redirect beside a failover',
      resolver("{ redirect: { service: ratings }, failover: { '*': { service: web } } }"),
      'a resolver that redirects has no failover',
    ],
    [
      'a redirect to a subset of nobody',
      resolver('{ subsets: { v1: {} }, redirect: { serviceSubset: v1 } }'),
      'a redirect to a subset names its service',
    ],
    [
      'a failover of a subset that is none',
      resolver('{ failover: { v9: { service: ratings } } }'),
      'failover is for a subset or for *, and "v9" is none',
    ],
    ['a failover to nowhere', resolver("{ failover: { '*': {} } }"), 'this failover goes nowhere'],
    [
      'a failover with two destinations',
      resolver("{ failover: { '*': { service: web, targets: [ { service: ratings } ] } } }"),
      'a failover has targets or says itself where it goes',
    ],
    [
      'a failover to a subset that is none',
      resolver("{ failover: { '*': { serviceSubset: v9 } } }"),
      'v9 is no subset',
    ],
    ['a subset in capitals', resolver('{ subsets: { V3: {} } }'), 'V3 is no name of a subset'],
    ['a negative time', resolver('{ connectTimeout: -3s }'), 'connectTimeout is at least 0s'],
    [
      'a ring without its policy',
      resolver('{ loadBalancer: { policy: least_request, ringHashConfig: { minimumRingSize: 8 } } }'),
      'ringHashConfig is for ring_hash',
    ],
    [
      'hashes without their policy',
      resolver('{ loadBalancer: { policy: random, hashPolicies: [ { sourceIP: true } ] } }'),
      'hashPolicies is for ring_hash and maglev',
    ],
    [
      'a hash of two things',
      resolver(
        '{ loadBalancer: { policy: maglev, hashPolicies: [ { sourceIP: true, field: header, fieldValue: x } ] } }',
      ),
      'the address of the caller or a field, not both',
    ],
    [
      'a hash of a field without a name',
      resolver('{ loadBalancer: { policy: maglev, hashPolicies: [ { field: header } ] } }'),
      'the header has no name',
    ],
    [
      'a cookie of a session that ends',
      resolver(
        '{ loadBalancer: { policy: maglev, hashPolicies: [ { field: cookie, fieldValue: a, cookieConfig: { session: true, ttl: 3s } } ] } }',
      ),
      'a cookie of a session has no ttl',
    ],
    ['a path without a slash', router('[ { match: { http: { pathExact: foo } } } ]'), 'does not start with a slash'],
    [
      'a header compared twice',
      router('[ { match: { http: { header: [ { name: x, exact: a, prefix: b } ] } } } ]'),
      'a header is compared in one way, and x in exact and prefix',
    ],
    [
      'a header compared in no way',
      router('[ { match: { http: { header: [ { name: x, present: false } ] } } } ]'),
      'a header is compared in one way, and x in none',
    ],
    [
      'a parameter compared in no way',
      router('[ { match: { http: { queryParam: [ { name: x } ] } } } ]'),
      'a parameter is compared in one way',
    ],
    ['a method that is none', router('[ { match: { http: { methods: [ FETCH ] } } } ]'), 'FETCH is no method'],
    ['a method twice', router('[ { match: { http: { methods: [ GET, get ] } } } ]'), 'GET stands twice'],
    ['a reason to retry that is none', router('[ { destination: { retryOn: [ retry-me ] } } ]'), 'retry-me is nothing'],
    ['an expression that is none', router("[ { match: { http: { pathRegex: '([' } } } ]"), 'is no regular expression'],
    ['no source', intentions('{ sources: [] }'), 'it has no source'],
    ['no word about sources', intentions('{}'), 'it has no source'],
    ['a part of a source', intentions("{ sources: [ { name: 'rev*', action: deny } ] }"), 'rev*: * stands for'],
    [
      'a part of a destination',
      entry('ServiceIntentions', 'a', "{ destination: { name: 'prod*' }, sources: [ { name: web, action: deny } ] }"),
      'prod*: * stands for',
    ],
    ['a permission about nothing', permission('{}'), 'a permission says of which requests'],
    ['a permission about two paths', permission('{ pathExact: /a, pathPrefix: /b }'), 'matches by one of'],
    ['an expression in a permission', permission("{ pathRegex: '([' }"), 'is no regular expression'],
    [
      'permissions about everybody',
      entry(
        'ServiceIntentions',
        'a',
        "{ destination: { name: '*' }, sources: [ { name: web, permissions: [ { action: deny, http: { pathPrefix: / } } ] } ] }",
      ),
      'permissions are about one service',
    ],
    ['a protocol that is none', entry('ServiceDefaults', 'web', '{ protocol: httpz }'), 'must be tcp or http'],
    [
      'an override of nobody',
      entry('ServiceDefaults', 'web', '{ upstreamConfig: { overrides: [ { connectTimeoutMs: 5 } ] } }'),
      'an override names its service',
    ],
    ['ProxyDefaults of another name', entry('ProxyDefaults', 'web', '{}'), 'ProxyDefaults are called global'],
    ['an entry without a name', '{"Kind":"service-router"}', 'the service-router has no Name'],
    ['HCL behind comments', '// a file\nKind = "service-router"\n', 'this is HCL, which is not read'],
    ['a token of nobody', entry('JWTProvider', 'okta', '{ jsonWebKeySet: { local: { jwks: e30= } } }'), 'no issuer'],
    [
      'keys that are none',
      entry('JWTProvider', 'okta', '{ issuer: a, jsonWebKeySet: { local: { jwks: e30= } } }'),
      'jwks is no JSON Web Key set in Base64',
    ],
  ])('%s', (_, text, message) => {
    expect(errorsOf(text)).toEqual(expect.arrayContaining([expect.stringContaining(message)]));
  });

  it.each([
    [
      'redirects that go round',
      `${resolver('{ redirect: { service: ratings } }')}\n---\n${entry('ServiceResolver', 'ratings', '{ redirect: { service: reviews } }')}`,
      'calls would go round in a circle',
    ],
    [
      'splits that go round',
      `${http('reviews', 'ratings')}\n---\n${splitter('[ { weight: 100, service: ratings } ]')}\n---\n${entry('ServiceSplitter', 'ratings', '{ splits: [ { weight: 100, service: reviews } ] }')}`,
      'reviews → ratings → reviews',
    ],
    [
      'a redirect to a subset that there is not',
      resolver('{ redirect: { service: ratings, serviceSubset: v9 } }'),
      'no ServiceResolver ratings has a subset v9',
    ],
    [
      'a failover to a subset that there is not',
      resolver("{ failover: { '*': { targets: [ { service: ratings, serviceSubset: v9 } ] } } }"),
      'no ServiceResolver ratings has a subset v9',
    ],
    [
      'two protocols in one chain',
      `${http('reviews')}\n---\n${entry('ServiceDefaults', 'ratings', '{ protocol: tcp }')}\n---\n${router('[ { destination: { service: ratings } } ]')}`,
      'ratings speaks tcp and reviews http: one chain has one protocol',
    ],
    [
      'permissions about connections',
      `${entry('ServiceDefaults', 'reviews', '{ protocol: tcp }')}\n---\n${permission('{ pathPrefix: / }')}`,
      'reviews has connections and no requests',
    ],
    [
      'two entries of intentions for one destination',
      `${intentions('{ sources: [ { name: web, action: deny } ] }')}\n---\n${entry('ServiceIntentions', 'more', '{ destination: { name: reviews }, sources: [ { name: ratings, action: deny } ] }')}`,
      'ServiceIntentions default/reviews is about reviews already',
    ],
    [
      'a token of a provider that there is not',
      intentions('{ jwt: { providers: [ { name: okta } ] }, sources: [ { name: web, action: allow } ] }'),
      'there is no JWTProvider okta',
    ],
  ])('what is wrong of several together: %s', (_, text, message) => {
    expect(errorsOf(text)).toEqual(expect.arrayContaining([expect.stringContaining(message)]));
  });
});

describe('Consul takes', () => {
  it.each([
    ['a redirect beside subsets', resolver('{ redirect: { service: ratings }, subsets: { v1: {} } }')],
    [
      'what its own JSON writes: nanoseconds, zeros, null, empty texts',
      JSON.stringify({
        Kind: 'service-defaults',
        Name: 'web',
        Protocol: 'http',
        Partition: 'default',
        Namespace: 'default',
        MeshGateway: {},
        UpstreamConfig: {
          Overrides: [
            {
              Name: 'reviews',
              Partition: '',
              ConnectTimeoutMs: 0,
              Limits: { MaxConnections: 3, MaxPendingRequests: null, MaxConcurrentRequests: null },
              PassiveHealthCheck: { Interval: 5_000_000_000, BaseEjectionTime: 10_000_000_000 },
            },
          ],
        },
        RateLimits: { InstanceLevel: { RequestsPerSecond: 0, RequestsMaxBurst: 0, Routes: null } },
        CreateIndex: 3,
        ModifyIndex: 4,
      }),
    ],
    [
      'what servers add to intentions',
      '{"Kind":"service-intentions","Name":"reviews","Sources":[{"Name":"web","Action":"allow","Precedence":9,"LegacyID":"","LegacyMeta":{},"LegacyCreateTime":"2020-01-01T00:00:00Z","Type":"consul"}]}',
    ],
    [
      'permissions that are none beside an action',
      intentions('{ sources: [ { name: web, action: deny, permissions: [] } ] }'),
    ],
    [
      'sources of one name in two places',
      intentions('{ sources: [ { name: web, action: deny }, { name: web, peer: other, action: allow } ] }'),
    ],
    [
      'a name that only a redirect gives',
      `${http('reviews')}\n---\n${router('[ { destination: { service: virtual } } ]')}\n---\n${entry('ServiceResolver', 'virtual', '{ redirect: { service: ratings } }')}`,
    ],
    ['a word without effect', '{"Kind":"api-gateway","Name":"gateway"}'],
    [
      'texts that are empty',
      router(
        "[ { match: { http: { pathExact: '', pathPrefix: /a } }, destination: { service: '', prefixRewrite: '' } } ]",
      ),
    ],
  ])('%s', (_, text) => {
    expect(errorsOf(text)).toEqual([]);
  });
});
