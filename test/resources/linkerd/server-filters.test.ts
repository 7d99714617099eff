import { expect, it } from 'vitest';
import { flavorOf } from '../../../src/model/flavor.js';
import { coverageOf } from '../../../src/policy-test/coverage.js';
import { runOffline } from '../../../src/policy-test/run.js';
import { readSuite } from '../../../src/policy-test/suite.js';
import { anyRoutesOf } from '../../../src/resources/gateway-api/any-route.js';
import { parentStatuses } from '../../../src/resources/gateway-api/route-status.js';
import { policiesOf } from '../../../src/resources/policies.js';
import { readResources } from '../../../src/resources/read.js';
import { appOf, workload } from '../../support/apps.js';

const POLICIES = `apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: { name: s }
spec: { podSelector: { matchLabels: { app: reviews } }, port: 9080, accessPolicy: all-unauthenticated }
---
apiVersion: policy.linkerd.io/v1beta3
kind: HTTPRoute
metadata: { name: r }
spec:
  parentRefs: [ { group: policy.linkerd.io, kind: Server, name: s } ]
  rules:
  - matches: [ { path: { value: /old } } ]
    filters: [ { type: RequestRedirect, requestRedirect: { path: { type: ReplaceFullPath, replaceFullPath: /new } } } ]
  - matches: [ { path: { value: /new } } ]
    filters: [ { type: RequestHeaderModifier, requestHeaderModifier: { remove: [ a ] } } ]
  - matches: [ { path: { value: /other } } ]
    filters: [ { type: RequestHeaderModifier, requestHeaderModifier: { remove: [ b ] } } ]
`;

const TESTS = `tests:
- name: old ones are sent on
  request: { from: web, to: reviews, path: /old }
  expect: { status: 302, answeredBy: mesh, denied: false }
- name: new ones arrive
  request: { from: web, to: reviews, path: /new }
  expect: { to: reviews, answeredBy: app }
`;

it('a route that its Server ignores has it in its status', () => {
  const text = POLICIES.replace(
    'policy.linkerd.io/v1beta3\nkind: HTTPRoute',
    'gateway.networking.k8s.io/v1\nkind: HTTPRoute',
  ).replace(
    'RequestHeaderModifier, requestHeaderModifier: { remove: [ a ] }',
    'URLRewrite, urlRewrite: { hostname: a.example }',
  );
  const { resources, findings } = readResources([{ name: 'p.yaml', text }], 1);
  expect(findings.map(({ code, source }) => [code, source?.line])).toEqual([['MS0001', 15]]);
  const [route] = anyRoutesOf(resources);
  const [status] =
    route === undefined ? [] : parentStatuses(route, { resources, serviceOf: () => null, flavor: 'linkerd' });
  expect(status?.conditions.find(({ type }) => type === 'Accepted')).toMatchObject({
    status: 'False',
    reason: 'UnsupportedValue',
    message: 'the filter URLRewrite is not known at a Server',
  });
});

it('policy tests know what routes at a Server make of a request, and which of them none asked for', () => {
  const { suite, problems } = readSuite('tests.yaml', TESTS);
  expect(problems).toEqual([]);
  const { resources, findings } = readResources([{ name: 'p.yaml', text: POLICIES }], 1);
  expect(findings).toEqual([]);
  const policies = policiesOf(resources);
  const app = appOf([workload('web'), workload('reviews')]);
  const results = runOffline(suite?.tests ?? [], { app, policies, flavor: flavorOf('linkerd'), mtls: 'permissive' });
  expect(results.map(({ failures }) => failures)).toEqual([[], []]);
  const covered = coverageOf(
    policies,
    results.flatMap(({ met }) => met),
  ).filter(({ rule }) => rule.includes('HTTPRoute'));
  const hits = Object.fromEntries(covered.map(({ source, hits: times }) => [source.line, times]));
  expect(hits).toEqual({ 12: 1, 14: 1, 16: 0 });
});
