import { describe, expect, it } from 'vitest';
import { policiesOf } from '../../../src/resources/policies.js';
import { readResources } from '../../../src/resources/read.js';

const read = (text: string) => readResources([{ name: 'l.yaml', text }], 1);
const policy = (kind: string, spec: string, version = 'v1alpha1'): string =>
  `apiVersion: policy.linkerd.io/${version}\nkind: ${kind}\nmetadata: { name: x }\nspec: ${spec}\n`;
const codes = (text: string): string[] => read(text).findings.map(({ code, level }) => `${code} ${level}`);

describe('kinds of Linkerd', () => {
  it.each([
    ['Server', '{ podSelector: { matchLabels: { app: a } }, port: http }', 'v1beta1'],
    ['Server', '{ podSelector: {}, port: 9080, proxyProtocol: HTTP/1, accessPolicy: audit }', 'v1beta3'],
    ['HTTPRoute', '{ parentRefs: [ { group: policy.linkerd.io, kind: Server, name: s } ], rules: [ {} ] }', 'v1beta2'],
    ['AuthorizationPolicy', '{ targetRef: { kind: Server, name: s }, requiredAuthenticationRefs: [] }', 'v1alpha1'],
    ['MeshTLSAuthentication', '{ identities: [ "*" ] }', 'v1alpha1'],
    ['NetworkAuthentication', '{ networks: [ { cidr: 10.0.0.0/8, except: [ 10.1.0.0/16 ] } ] }', 'v1alpha1'],
    ['ServerAuthorization', '{ server: { selector: {} }, client: { unauthenticated: true } }', 'v1beta1'],
    [
      'HTTPLocalRateLimitPolicy',
      '{ targetRef: { kind: Server, name: s }, total: { requestsPerSecond: 9 } }',
      'v1alpha1',
    ],
    ['EgressNetwork', '{ trafficPolicy: Allow }', 'v1alpha1'],
  ])('%s is read: %s', (kind, spec, version) => {
    const { resources, findings } = read(policy(kind, spec, version));
    expect(findings).toEqual([]);
    expect(resources.map(({ dialect }) => dialect)).toEqual(['linkerd']);
  });

  it.each([
    ['Server', '{ podSelector: {} }', 'v1beta3', 'spec has no port'],
    ['Server', '{ port: 0 }', 'v1beta3', 'spec.port must be a port from 1 to 65535'],
    ['Server', '{ port: 80, accessPolicy: allow }', 'v1beta3', 'spec.accessPolicy must be deny or audit'],
    ['Server', '{ port: 80 }', 'v2', 'Server has no version policy.linkerd.io/v2'],
    ['AuthorizationPolicy', '{ targetRef: { name: s } }', 'v1alpha1', 'spec.targetRef has no kind'],
    ['EgressNetwork', '{ trafficPolicy: Maybe }', 'v1alpha1', 'spec.trafficPolicy must be Allow or Deny'],
    [
      'HTTPLocalRateLimitPolicy',
      '{ targetRef: { kind: Server, name: s }, total: { requestsPerSecond: 0 } }',
      'v1alpha1',
      'must be a whole number from 1',
    ],
    [
      'HTTPRoute',
      '{ rules: [ { filters: [ { type: RequestMirror, requestMirror: { backendRef: { name: a, port: 1 } } } ] } ] }',
      'v1beta3',
      'has no filter RequestMirror',
    ],
  ])('%s is refused: %s', (kind, spec, version, message) => {
    const { resources, findings } = read(policy(kind, spec, version));
    expect(resources).toEqual([]);
    const errors = findings.filter(({ level }) => level === 'error');
    expect(errors.map((finding) => finding.message).join()).toContain(message);
    expect(errors[0]?.source.line).toBe(spec.includes('port') && version === 'v2' ? 1 : 4);
  });

  it('what is not obeyed is told', () => {
    expect(codes(policy('EgressNetwork', '{ trafficPolicy: Deny, networks: [ { cidr: 0.0.0.0/0 } ] }'))).toEqual([
      'MS0001 warning',
    ]);
    const profile = (routes: string): string =>
      `apiVersion: linkerd.io/v1alpha2\nkind: ServiceProfile\nmetadata: { name: a.default.svc.cluster.local }\nspec: { routes: ${routes} }\n`;
    expect(codes(profile('[ { name: r, condition: { not: { method: GET } } } ]'))).toEqual(['MS0001 warning']);
    expect(codes(profile('[ { name: r, condition: { all: [ { pathRegex: /a }, { pathRegex: /b } ] } } ]'))).toEqual([
      'MS0208 warning',
    ]);
    const many = Array.from({ length: 70 }, (_, i) => `{ pathRegex: /${i} }`).join(', ');
    expect(codes(profile(`[ { name: r, condition: { any: [ ${many} ] } } ]`))).toEqual(['MS0208 warning']);
    expect(codes(profile('[ { name: r, condition: { pathRegex: "(" } } ]'))).toContain('IST0106 error');
  });
});

describe('annotations of Linkerd', () => {
  const DURATION = 'a whole number and one of ms, s, m, h, d, such as 250ms or 10s';
  const service = (annotations: string): string =>
    `apiVersion: v1\nkind: Service\nmetadata:\n  name: a\n  annotations:\n    ${annotations}\nspec: { ports: [ { port: 80 } ] }\n`;

  it.each([
    ['retry.linkerd.io/htttp: 5xx', 'MS0200 warning', 'did you mean retry.linkerd.io/http?'],
    [
      'retry.linkerd.io/http: 5xy',
      'MS0201 warning',
      '5xx, gateway-error, a status such as 503, or a range such as 500-504, with commas and no spaces',
    ],
    ['timeout.linkerd.io/request: soon', 'MS0201 warning', DURATION],
    ['timeout.linkerd.io/request: 0.1s', 'MS0201 warning', DURATION],
    ['timeout.linkerd.io/request: 1m30s', 'MS0201 warning', DURATION],
    ['retry.linkerd.io/limit: "65536"', 'MS0201 warning', 'a whole number up to 65535'],
    ['config.linkerd.io/opaque-ports: 9010-9000', 'MS0201 warning', '3306,6379 or 9000-9010'],
    ['balancer.linkerd.io/failure-accrual: always', 'MS0201 warning', 'consecutive or unified'],
    ['config.linkerd.io/default-inbound-policy: deny', 'MS0209 warning', 'it belongs to a Namespace or a Deployment'],
    ['config.linkerd.io/skip-inbound-ports: "22"', 'MS0001 warning', ''],
    ['timeout.linkerd.io/idle: 3s', 'MS0001 warning', ''],
    ['config.linkerd.io/proxy-cpu-request: "1"', 'MS0001 info', ''],
    ['linkerd.io/inject: disabled', 'MS0001 warning', ''],
    ['linkerd.io/inject: ingress', 'MS0001 warning', ''],
    ['linkerd.io/inject: on', 'MS0201 warning', 'enabled, disabled or ingress'],
  ])('%s is told at its line', (annotation, code, hint) => {
    const { resources, findings } = read(service(annotation));
    expect(findings.map((one) => [`${one.code} ${one.level}`, one.source.line, one.hint])).toEqual([[code, 6, hint]]);
    // They keep nothing from being applied, as in a cluster.
    expect(resources).toHaveLength(1);
  });

  it('that are right are silent, and so are those of others', () => {
    expect(
      codes(service('retry.linkerd.io/http: 5xx\n    example.com/owner: me\n    linkerd.io/inject: enabled')),
    ).toEqual([]);
  });
});

describe('identities', () => {
  const values = (identity: string): unknown => {
    const server = policy('Server', '{ podSelector: {}, port: 80 }', 'v1beta3');
    const who = policy('MeshTLSAuthentication', `{ identities: [ "${identity}" ] }`);
    const refs = '[ { kind: MeshTLSAuthentication, name: x } ]';
    const allow = policy(
      'AuthorizationPolicy',
      `{ targetRef: { kind: Server, name: x }, requiredAuthenticationRefs: ${refs} }`,
    );
    const { portAccess } = policiesOf(read([server, who, allow].join('---\n')).resources);
    return portAccess[0]?.rules[0]?.from[0]?.[0]?.values;
  };
  const TAIL = 'serviceaccount.identity.linkerd.cluster.local';

  it.each([
    ['*', [{ kind: 'present', value: '' }]],
    [`web.shop.${TAIL}`, [{ kind: 'exact', value: 'cluster.local/ns/shop/sa/web' }]],
    [`my.web.shop.${TAIL}`, [{ kind: 'exact', value: 'cluster.local/ns/shop/sa/my.web' }]],
    [`*.shop.${TAIL}`, [{ kind: 'prefix', value: 'cluster.local/ns/shop/sa/' }]],
    [`*.${TAIL}`, [{ kind: 'prefix', value: 'cluster.local/' }]],
    ['*.cluster.local', [{ kind: 'prefix', value: 'cluster.local/' }]],
    ['spiffe://cluster.local/ns/shop/sa/web', [{ kind: 'exact', value: 'cluster.local/ns/shop/sa/web' }]],
    ['web.shop.serviceaccount.identity.linkerd.elsewhere', undefined],
  ])('%s means %j', (identity, expected) => {
    expect(values(identity)).toEqual(expected);
  });
});
