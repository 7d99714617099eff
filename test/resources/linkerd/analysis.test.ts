import { describe, expect, it } from 'vitest';
import { analyze } from '../../../src/resources/analysis/analyze.js';
import { readResources } from '../../../src/resources/read.js';
import { appOf, workload } from '../../support/apps.js';

const APP = appOf([workload('web'), workload('reviews')]);

/** Codes of Linkerd's own and where they stand. */
function told(...documents: readonly string[]): [code: string, message: string, hint: string][] {
  const { resources, findings } = readResources([{ name: 'l.yaml', text: documents.join('\n---\n') }], 1);
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  return analyze(resources, APP)
    .filter(({ code }) => code.startsWith('MS02'))
    .map(({ code, message, hint }) => [code, message, hint]);
}

const policy = (kind: string, name: string, spec: string, version = 'v1alpha1'): string =>
  `apiVersion: policy.linkerd.io/${version}\nkind: ${kind}\nmetadata: { name: ${name} }\nspec: ${spec}`;
const server = (name: string, app = 'reviews', port: number | string = 9080): string =>
  policy('Server', name, `{ podSelector: { matchLabels: { app: ${app} } }, port: ${port} }`, 'v1beta3');
const allow = (target: string, refs = ''): string =>
  policy('AuthorizationPolicy', 'a', `{ targetRef: { ${target} }, requiredAuthenticationRefs: [ ${refs} ] }`);

describe('analysis of Linkerd', () => {
  it('finds nothing where all is well', () => {
    expect(told(server('reviews'), allow('kind: Server, name: reviews'))).toEqual([]);
  });

  it('a reference to what is not there', () => {
    expect(told(server('reviews'), allow('kind: Server, name: review'))[0]).toEqual([
      'MS0202',
      'there is no Server review in default, so it is about nothing',
      'did you mean reviews?',
    ]);
    const missing = allow('kind: Server, name: reviews', '{ kind: MeshTLSAuthentication, name: who }');
    expect(told(server('reviews'), missing).map(([code]) => code)).toEqual(['MS0202', 'MS0205']);
    const route = policy(
      'HTTPRoute',
      'r',
      '{ parentRefs: [ { group: policy.linkerd.io, kind: Server, name: s } ], rules: [ {} ] }',
      'v1beta3',
    );
    expect(told(route).map(([code]) => code)).toEqual(['MS0202']);
  });

  it('a Server that chooses nobody, a port that there is not, and one by a name that nobody knows', () => {
    const all = allow('kind: Server, name: s');
    expect(told(server('s', 'nobody'), all).map(([code]) => code)).toEqual(['MS0203']);
    expect(told(server('s', 'reviews', 80), all)).toEqual([
      ['MS0204', 'reviews has no port 80, so the Server is about nothing', 'there are: 9080'],
    ]);
    expect(told(server('s', 'reviews', 'http'), all).map(([code]) => code)).toEqual(['MS0204']);
  });

  it('a Server that locks everybody out', () => {
    expect(told(server('s')).map(([code]) => code)).toEqual(['MS0205']);
    const who = policy(
      'MeshTLSAuthentication',
      'who',
      '{ identities: [ a.b.serviceaccount.identity.linkerd.cluster.local ] }',
    );
    const wanting = allow('kind: Server, name: s', '{ kind: MeshTLSAuthentication, name: who }');
    expect(told(server('s'), who, wanting).map(([code]) => code)).toEqual(['MS0205']);
  });

  it('two Servers about one port', () => {
    const all = allow('kind: Namespace, name: default');
    expect(told(server('s'), server('t'), all)).toEqual([
      ['MS0207', 's is about the same port of reviews: the older of both holds alone', ''],
    ]);
  });

  it('a ServiceProfile beside a route, and one of no Service', () => {
    const profile = (name: string): string =>
      `apiVersion: linkerd.io/v1alpha2\nkind: ServiceProfile\nmetadata: { name: ${name}.default.svc.cluster.local }\nspec: { routes: [ { name: r, condition: { method: GET } } ] }`;
    const route = policy(
      'HTTPRoute',
      'r',
      '{ parentRefs: [ { group: core, kind: Service, name: reviews } ], rules: [ { backendRefs: [ { name: reviews, port: 9080 } ] } ] }',
      'v1beta3',
    );
    expect(told(profile('reviews'), route).map(([code]) => code)).toEqual(['MS0206']);
    expect(told(profile('ratings')).map(([code]) => code)).toEqual(['MS0208']);
  });
});
