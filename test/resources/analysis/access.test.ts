import { describe, expect, it } from 'vitest';
import type { Finding } from '../../../src/model/finding.js';
import { analyze } from '../../../src/resources/analysis/analyze.js';
import { readResources } from '../../../src/resources/read.js';
import { appOf, workload } from '../../support/apps.js';

const APP = appOf([workload('web'), workload('reviews'), workload('db', { ports: [{ port: 3306, protocol: 'tcp' }] })]);

function found(spec: string, ...others: string[]): Pick<Finding, 'code' | 'level' | 'message' | 'hint'>[] {
  const text = [
    `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: p }\nspec: ${spec}`,
    ...others,
  ].join('\n---\n');
  const { resources, findings } = readResources([{ name: 'p.yaml', text }], 0);
  expect(findings.filter(({ level }) => level === 'error')).toEqual([]);
  return analyze(resources, APP).filter(({ object }) => object === 'AuthorizationPolicy default/p');
}

const codes = (...args: Parameters<typeof found>): string[] =>
  found(...args).map(({ code, level }) => `${code} ${level}`);
const REVIEWS = 'selector: { matchLabels: { app: reviews } }';

describe('analysis of AuthorizationPolicies', () => {
  it('has nothing to say about a good one', () => {
    expect(
      codes(
        `{ ${REVIEWS}, rules: [ { from: [ { source: { principals: [ cluster.local/ns/default/sa/web ] } } ], to: [ { operation: { methods: [ GET ], paths: [ "/reviews/*" ], hosts: [ "reviews*" ] } } ] } ] }`,
      ),
    ).toEqual([]);
  });

  it('tells whom a policy locks out', () => {
    expect(found('{}')[0]).toMatchObject({
      code: 'MS0151',
      message: 'it lets nobody in: every call to web, reviews, db is answered 403',
    });
    expect(codes(`{ ${REVIEWS}, action: DENY, rules: [ {} ] }`)).toEqual(['MS0152 error']);
    expect(codes(`{ ${REVIEWS}, rules: [ { from: [ { source: { namespaces: [ other ] } } ] } ] }`)).toEqual([
      'MS0152 error',
      'KIA0101 warning',
    ]);
    // Another policy that lets somebody in makes it a default, not a lock.
    const other = `apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: { name: other }\nspec: { rules: [ {} ] }`;
    expect(codes('{}', other)).toEqual([]);
  });

  it('tells values that are not in the mesh, with what is', () => {
    expect(
      found(
        `{ ${REVIEWS}, rules: [ { from: [ { source: { principals: [ cluster.local/ns/default/sa/wep, "cluster.local/ns/default/sa/*" ] } } ] } ] }`,
      ),
    ).toMatchObject([{ code: 'KIA0106', hint: 'did you mean default/web?' }]);
    expect(codes(`{ ${REVIEWS}, rules: [ { to: [ { operation: { hosts: [ nowhere ] } } ] } ] }`)).toEqual([
      'KIA0104 error',
    ]);
    expect(found(`{ ${REVIEWS}, rules: [ { to: [ { operation: { methods: [ get ] } } ] } ] }`)).toMatchObject([
      { code: 'KIA0102', hint: 'GET' },
    ]);
    expect(
      codes(`{ ${REVIEWS}, rules: [ { from: [ { source: { notPrincipals: [ elsewhere/ns/default/sa/web ] } } ] } ] }`),
    ).toEqual(['KIA0108 warning']);
    expect(codes('{ selector: { matchLabels: { app: nobody } }, rules: [ {} ] }')).toEqual(['IST0127 warning']);
  });

  it('tells values that do not mean what they look like', () => {
    const paths = (path: string) =>
      codes(`{ ${REVIEWS}, rules: [ { to: [ { operation: { paths: [ "${path}" ] } } ] } ] }`);
    expect(paths('/a/*/c')).toEqual(['MS0157 warning']);
    expect(paths('*admin*')).toEqual(['MS0157 warning']);
    expect(paths('/a?b=1')).toEqual(['MS0156 error']);
    expect(paths('/a/{*}/c')).toEqual([]);
    expect(
      codes(
        `{ ${REVIEWS}, rules: [ { from: [ { source: { principals: [ "spiffe://cluster.local/ns/default/sa/web" ] } }, { source: { namespaces: [ default ] } } ] } ] }`,
      ),
    ).toEqual(['MS0155 error']);
  });

  it('tells rules about tokens that nobody verifies, about HTTP on TCP ports, and about callers in plaintext', () => {
    const tokens = `{ ${REVIEWS}, rules: [ { from: [ { source: { requestPrincipals: [ "*" ] } } ] } ] }`;
    expect(codes(tokens)).toEqual(['MS0153 error']);
    const verified = `apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: { name: j }\nspec: { jwtRules: [ { issuer: me, jwks: '{"keys":[]}' } ] }`;
    expect(codes(tokens, verified)).toEqual([]);
    expect(
      codes(
        '{ selector: { matchLabels: { app: db } }, action: DENY, rules: [ { to: [ { operation: { methods: [ GET ] } } ] } ] }',
      ),
    ).toEqual(['MS0154 warning']);
    const plain = `apiVersion: security.istio.io/v1\nkind: PeerAuthentication\nmetadata: { name: d }\nspec: { mtls: { mode: DISABLE } }`;
    expect(codes(`{ ${REVIEWS}, rules: [ { from: [ { source: { namespaces: [ default ] } } ] } ] }`, plain)).toEqual([
      'KIA0105 error',
    ]);
  });
});
