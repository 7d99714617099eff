import { describe, expect, it } from 'vitest';
import { appOf, workload } from '../../support/apps.js';
import {
  authorizationPolicy,
  deployment,
  destinationRule,
  namespace,
  resource,
  serviceEntry,
  sidecar,
  telemetry,
  told,
  virtualService,
} from './told.js';

const APP = appOf([workload('web'), workload('reviews')]);
const pods = (labels: string, containers = '', own = 'name: a') =>
  deployment(own, `{ template: { metadata: { labels: { ${labels} } }, spec: { containers: [ ${containers} ] } } }`);

describe('IST0146: a sidecar that nobody injects', () => {
  const AUTO = '{ name: istio-proxy, image: auto }';

  it.each([
    ['a namespace without labels', [namespace('name: default'), pods('app: a', AUTO)], true],
    ['a namespace that is not known', [pods('app: a', AUTO)], false],
    [
      'a namespace that is injected',
      [namespace('name: default, labels: { istio-injection: enabled }'), pods('app: a', AUTO)],
      false,
    ],
    ['of a revision', [namespace('name: default, labels: { istio.io/rev: canary }'), pods('app: a', AUTO)], false],
    ['pods that ask for it', [namespace('name: default'), pods("sidecar.istio.io/inject: 'true'", AUTO)], false],
    ['pods that refuse it', [pods("sidecar.istio.io/inject: 'false'", AUTO)], true],
    ['another container', [namespace('name: default'), pods('app: a', '{ name: web, image: auto }')], false],
    ['another image', [namespace('name: default'), pods('app: a', '{ name: istio-proxy, image: a:1 }')], false],
  ])('%s', (_, documents, expected) => {
    expect(told('IST0146', documents).map((one) => one.slice(0, 36))).toEqual(
      expected ? ['IST0146 warning Deployment default/a'] : [],
    );
  });
});

describe('IST0157: access logs that go nowhere', () => {
  const MESH = `apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data:
  mesh: |
    defaultProviders: { accessLogging: [ envoy ] }
`;

  it.each([
    ['without providers', '{ accessLogging: [ { filter: { expression: "response.code >= 400" } } ] }', true],
    ['with none', '{ accessLogging: [ { providers: [] } ] }', true],
    ['with one', '{ accessLogging: [ { providers: [ { name: envoy } ] } ] }', false],
    ['switched off', '{ accessLogging: [ { disabled: true } ] }', false],
    ['not switched off', '{ accessLogging: [ { disabled: false } ] }', true],
    ['none at all', '{ tracing: [ { randomSamplingPercentage: 1 } ] }', false],
  ])('%s', (_, spec, expected) => {
    expect(told('IST0157', [telemetry('name: a', spec)])).toEqual(
      expected ? ['IST0157 warning Telemetry default/a 4'] : [],
    );
    expect(told('IST0157', [MESH, telemetry('name: a', spec)])).toEqual([]);
  });
});

describe('IST0167: Sidecars where there are no sidecars', () => {
  const AMBIENT = namespace('name: default, labels: { istio.io/dataplane-mode: ambient }');
  const of = (selector: string) => sidecar('name: s', `{ ${selector}egress: [ { hosts: [ ./* ] } ] }`);
  const select = 'workloadSelector: { labels: { app: a } }, ';

  it.each([
    ['of a namespace', [AMBIENT, of('')], true],
    ['of a namespace with sidecars', [namespace('name: default'), of('')], false],
    ['of a workload', [AMBIENT, pods('app: a'), of(select)], true],
    ['of one that has a sidecar', [AMBIENT, pods("app: a, sidecar.istio.io/inject: 'true'"), of(select)], false],
    ['of one that is out of it', [AMBIENT, pods('app: a, istio.io/dataplane-mode: none'), of(select)], false],
    ['of one that alone is in it', [pods('app: a, istio.io/dataplane-mode: ambient'), of(select)], true],
  ])('%s', (_, documents, expected) => {
    expect(told('IST0167', documents).map((one) => one.slice(0, 33))).toEqual(
      expected ? ['IST0167 warning Sidecar default/s'] : [],
    );
  });
});

describe('KIA0005 and KIA1601: namespaces that there are not', () => {
  const OTHER = namespace('name: other');
  const rule = (exportTo: string) => destinationRule('name: a', `{ host: reviews, exportTo: [ ${exportTo} ] }`);

  it.each([
    ['DestinationRule', rule('nowhere'), true],
    [
      'ServiceEntry',
      serviceEntry(
        'name: a',
        '{ hosts: [ a.com ], exportTo: [ nowhere ], ports: [ { number: 80, name: http, protocol: HTTP } ] }',
      ),
      true,
    ],
    [
      'VirtualService',
      virtualService(
        'name: a',
        '{ hosts: [ b ], exportTo: [ nowhere ], http: [ { route: [ { destination: { host: b } } ] } ] }',
      ),
      true,
    ],
    ['its own', rule('.'), false],
    ['all', rule("'*'"), false],
    ['another', rule('other'), false],
    ['the root', rule('istio-system'), false],
  ])('%s', (_, text, expected) => {
    expect(told('KIA0005', [OTHER, text])).toEqual(
      expected ? [expect.stringMatching(/^KIA0005 error \w+ default\/a 8$/)] : [],
    );
    expect(told('KIA0005', [text])).toEqual([]);
  });

  it('of a ReferenceGrant', () => {
    const grant = (from: string) =>
      resource(
        'gateway.networking.k8s.io/v1beta1',
        'ReferenceGrant',
        'name: a',
        `{ from: [ { group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: ${from} } ], to: [ { group: '', kind: Service } ] }`,
      );
    expect(told('KIA1601', [OTHER, grant('nowhere')])).toEqual(['KIA1601 error ReferenceGrant default/a 8']);
    expect(told('KIA1601', [OTHER, grant('other')])).toEqual([]);
    expect(told('KIA1601', [grant('nowhere')])).toEqual([]);
  });
});

describe('KIA1004 and KIA1007: what Sidecars let through', () => {
  const CODES = 'KIA1004 KIA1007';
  const of = (spec: string) => sidecar('name: a', spec);

  it.each([
    ['./reviews.default.svc.cluster.local', false],
    ['"*/*"', false],
    ['other/*', false],
    ['~/*', false],
    ['./*.default.svc.cluster.local', false],
    ['./*.example.com', true],
    ['"*/rewievs.default.svc.cluster.local"', true],
  ])('%s', (host, expected) => {
    const text = of(`{ egress: [ { hosts: [ ${host} ] } ] }`);
    expect(told(CODES, [text], APP)).toEqual(expected ? ['KIA1004 warning Sidecar default/a 4'] : []);
    expect(told(CODES, [text])).toEqual([]);
  });

  it.each([
    ['{}', true],
    ['{ mode: REGISTRY_ONLY }', false],
    ['{ mode: ALLOW_ANY }', false],
  ])('outboundTrafficPolicy: %s', (policy, expected) => {
    expect(told(CODES, [of(`{ outboundTrafficPolicy: ${policy} }`)])).toEqual(
      expected ? ['KIA1007 info Sidecar default/a 4'] : [],
    );
  });
});

describe('KIA1301: Deployments that no policy is about', () => {
  const policy = (own: string, labels: string) =>
    authorizationPolicy(own, `{ selector: { matchLabels: { ${labels} } }, rules: [ {} ] }`);
  const DEPLOYMENTS = [pods('app: a'), pods('app: b', '', 'name: b')];
  const b = ['KIA1301 warning Deployment default/b 6'];

  it.each([
    ['no policy at all', [], []],
    ['of one of two', [policy('name: p', 'app: a')], b],
    ['of another namespace', [policy('name: p', 'app: a'), policy('name: q, namespace: x', 'app: b')], b],
    ['of the root namespace', [policy('name: p', 'app: a'), policy('name: q, namespace: istio-system', 'app: b')], []],
    ['of all', [authorizationPolicy('name: p', '{}')], []],
  ])('%s', (_, policies, expected) => {
    expect(told('KIA1301', [...DEPLOYMENTS, ...policies])).toEqual(expected);
  });
});
