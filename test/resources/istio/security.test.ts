import { describe, expect, it } from 'vitest';
import { policiesOf } from '../../../src/resources/policies.js';
import { readResources } from '../../../src/resources/read.js';

function read(kind: string, spec: string, apiVersion = 'security.istio.io/v1') {
  const text = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: p }\nspec:\n${spec.replace(/^/gm, '  ')}`;
  return readResources([{ name: 'p.yaml', text }], 0);
}

/** `line: message` of all that is wrong. */
const problems = (kind: string, spec: string): string[] =>
  read(kind, spec)
    .findings.filter(({ level }) => level === 'error')
    .map(({ source, message }) => `${source.line}: ${message}`);

describe('AuthorizationPolicy', () => {
  it('is read with the line of each rule', () => {
    const { resources, findings } = read(
      'AuthorizationPolicy',
      'selector: { matchLabels: { app: reviews } }\naction: DENY\nrules:\n- from: [ { source: { namespaces: [ other ], notIpBlocks: [ 10.0.0.0/8 ] } } ]\n- when: [ { key: "request.headers[X-Role]", values: [ "a*" ], notValues: [ ab ] } ]',
      'security.istio.io/v1beta1',
    );
    expect(findings).toEqual([]);
    const [policy] = policiesOf(resources).authorization;
    expect(policy).toMatchObject({ action: 'deny', enforced: true, selector: { app: 'reviews' } });
    expect(policy?.rules.map(({ name, source }) => `${name} ${source.line}`)).toEqual([
      'ns[default]-policy[p]-rule[0] 8',
      'ns[default]-policy[p]-rule[1] 9',
    ]);
    expect(policy?.rules[1]?.when).toMatchObject([
      { subject: { kind: 'header', name: 'x-role' }, values: [{ kind: 'prefix', value: 'a' }], not: false },
      { subject: { kind: 'header', name: 'x-role' }, values: [{ kind: 'exact', value: 'ab' }], not: true },
    ]);
  });

  it.each([
    ['action: DENY', '5: DENY without rules means nothing: it is never met'],
    ['rules: [ { from: [] } ]', '5: from is empty'],
    ['rules: [ { to: [] } ]', '5: to is empty'],
    ['rules: [ { from: [ { source: {} } ] } ]', '5: the source says nothing'],
    ['rules: [ { to: [ { operation: { methods: [] } } ] } ]', '5: the operation says nothing'],
    ['rules: [ { from: [ { source: { principals: [ "" ] } } ] } ]', '5: principals has an empty value'],
    [
      'rules: [ { from: [ { source: { ipBlocks: [ 10.0.0.300 ] } } ] } ]',
      '5: ipBlocks: 10.0.0.300 is no address and no range',
    ],
    [
      'rules: [ { from: [ { source: { ipBlocks: [ 10.0.0.0/33 ] } } ] } ]',
      '5: ipBlocks: 10.0.0.0/33 is no address and no range',
    ],
    ['rules: [ { to: [ { operation: { ports: [ http ] } } ] } ]', '5: ports: http is no port'],
    [
      'rules: [ { to: [ { operation: { paths: [ "/a/{*}b" ] } } ] } ]',
      '5: paths: /a/{*}b: {*} and {**} stand for whole elements of a path',
    ],
    [
      'rules: [ { to: [ { operation: { paths: [ "/{**}/{*}" ] } } ] } ]',
      '5: paths: /{**}/{*}: nothing with a star may stand behind {**}',
    ],
    [
      'rules: [ { when: [ { key: source.user, values: [ a ] } ] } ]',
      '5: "source.user" is nothing that a condition can ask about',
    ],
    ['rules: [ { when: [ { key: source.ip } ] } ]', '5: the condition on source.ip has no values'],
    [
      'rules: [ { when: [ { key: source.ip, values: [ a ] } ] } ]',
      '5: source.ip: values: a is no address and no range',
    ],
    [
      'rules: [ { from: [ { source: { serviceAccounts: [ a ], namespaces: [ b ] } } ] } ]',
      '5: serviceAccounts cannot stand beside principals or namespaces',
    ],
    ['rules: [ { form: [] } ]', '5: unknown key "form" in spec.rules[0]'],
    ['action: CUSTOM\nrules: [ {} ]', '5: action CUSTOM names who is asked'],
    ['action: DENY\nprovider: { name: x }\nrules: [ {} ]', '6: a provider is for action CUSTOM, and this is DENY'],
  ])('%s is refused', (spec, problem) => {
    expect(problems('AuthorizationPolicy', spec)).toEqual([problem]);
  });

  it('says what no sidecar obeys, and then does not obey any of it', () => {
    for (const spec of [
      'selector: { matchLabels: { istio: ingressgateway } }\naction: CUSTOM\nprovider: { name: x }\nrules: [ {} ]',
      'targetRefs: [ { kind: Service, group: "", name: reviews } ]\naction: DENY\nrules: [ {} ]',
    ]) {
      const { resources, findings } = read('AuthorizationPolicy', spec);
      expect(findings.every(({ code, level }) => code === 'MS0001' && level === 'warning')).toBe(true);
      expect(findings.length).toBeGreaterThan(0);
      expect(policiesOf(resources).authorization).toEqual([]);
    }
  });
});

describe('RequestAuthentication', () => {
  it.each([
    ['jwtRules: [ { issuer: "" } ]', '5: the issuer is empty'],
    ['jwtRules: [ { issuer: me, jwks: "no json" } ]', '5: jwks is no JSON Web Key set'],
    ['jwtRules: [ { issuer: me, jwks: "{}" } ]', '5: jwks is no JSON Web Key set'],
    ['jwtRules: [ { issuer: me, fromHeaders: [ { name: "a b" } ] } ]', '5: a b is no header'],
    ['jwtRules: [ { issuer: me, audiences: [ "" ] } ]', '5: the value is empty'],
    ['jwtRules: [ { jwks: "{}" } ]', '5: spec.jwtRules[0] has no issuer'],
  ])('%s is refused', (spec, problem) => {
    expect(problems('RequestAuthentication', spec)).toEqual([problem]);
  });

  it('takes tokens from Authorization and access_token, unless it names a place', () => {
    const rules = (spec: string) => policiesOf(read('RequestAuthentication', spec).resources).tokens[0]?.rules[0];
    expect(rules('jwtRules: [ { issuer: me, jwks: \'{"keys":[]}\' } ]')).toMatchObject({
      fromHeaders: [{ name: 'authorization', prefix: 'Bearer ' }],
      fromParameters: ['access_token'],
    });
    expect(rules('jwtRules: [ { issuer: me, jwks: \'{"keys":[]}\', fromCookies: [ t ] } ]')).toMatchObject({
      fromHeaders: [],
      fromParameters: [],
      fromCookies: ['t'],
    });
  });
});

describe('Telemetry', () => {
  const sampling = (spec: string) =>
    policiesOf(read('Telemetry', spec, 'telemetry.istio.io/v1').resources).telemetry.map(
      ({ samplePercent }) => samplePercent,
    );

  it('says how much is traced', () => {
    expect(sampling('tracing: [ { randomSamplingPercentage: 12.5 } ]')).toEqual([12.5]);
    expect(sampling('tracing: [ { disableSpanReporting: true } ]')).toEqual([0]);
    expect(sampling('tracing: [ { randomSamplingPercentage: 1 }, { randomSamplingPercentage: 2 }, {} ]')).toEqual([2]);
    expect(sampling('tracing: [ { disableSpanReporting: true }, { randomSamplingPercentage: 2 } ]')).toEqual([0]);
    expect(sampling('tracing: [ { disableSpanReporting: true }, { disableSpanReporting: false } ]')).toEqual([]);
    expect(sampling('accessLogging: [ { providers: [ { name: envoy } ] } ]')).toEqual([]);
  });

  it('of what it asks besides is told that it is not obeyed', () => {
    const { findings } = read('Telemetry', 'accessLogging: [ { disabled: true } ]', 'telemetry.istio.io/v1alpha1');
    expect(findings).toMatchObject([{ code: 'MS0001', message: expect.stringContaining('records every request') }]);
  });
});
