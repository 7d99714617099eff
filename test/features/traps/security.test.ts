import { expect } from 'vitest';
import { issuerOf } from '../../support/tokens.js';
import { bedOf, type Dialect, row, startBeds } from './beds.js';

startBeds();

row('12: plaintext from outside', { istio: 200, linkerd: 200, consul: 'refused' }, (dialect) =>
  bedOf(dialect)
    .callUnmeshed('reviews')
    .catch(() => 'refused'),
);

const FIRST_ALLOW: Partial<Record<Dialect, string>> = {
  istio: `apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: a }
spec: { selector: { matchLabels: { app: reviews } }, rules: [ { from: [ { source: { principals: [ cluster.local/ns/default/sa/web ] } } ] } ] }`,
  linkerd: `apiVersion: policy.linkerd.io/v1beta3
kind: Server
metadata: { name: reviews }
spec: { podSelector: { matchLabels: { app: reviews } }, port: 9080 }
---
apiVersion: policy.linkerd.io/v1alpha1
kind: AuthorizationPolicy
metadata: { name: a }
spec: { targetRef: { group: policy.linkerd.io, kind: Server, name: reviews }, requiredAuthenticationRefs: [ { kind: ServiceAccount, name: web } ] }`,
  consul: `apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceIntentions
metadata: { name: reviews }
spec: { destination: { name: reviews }, sources: [ { name: web, action: allow } ] }`,
};

row(
  '16 and 17: after the first that lets web in, batch is',
  { istio: 403, linkerd: 403, consul: 200 },
  async (dialect) => {
    const bed = bedOf(dialect);
    await bed.apply(FIRST_ALLOW[dialect] ?? '');
    expect((await bed.call('reviews')).status).toBe(200);
    return (await bed.call('reviews', '/', { from: 'batch' })).status;
  },
);

const okta = issuerOf('okta');

row('25: a token that is missing', { istio: 200, consul: 403 }, async (dialect) => {
  const text: Partial<Record<Dialect, string>> = {
    istio: `apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: okta }
spec: { selector: { matchLabels: { app: reviews } }, jwtRules: [ { issuer: okta, jwks: '${okta.jwks}' } ] }`,
    consul: `apiVersion: consul.hashicorp.com/v1alpha1
kind: JWTProvider
metadata: { name: okta }
spec: { issuer: okta, jsonWebKeySet: { local: { jwks: ${Buffer.from(okta.jwks).toString('base64')} } } }
---
apiVersion: consul.hashicorp.com/v1alpha1
kind: ServiceIntentions
metadata: { name: reviews }
spec: { jwt: { providers: [ { name: okta } ] }, sources: [ { name: web, action: allow } ] }`,
  };
  const bed = bedOf(dialect);
  await bed.apply(text[dialect] ?? '');
  const headers = { authorization: `Bearer ${okta.token()}` };
  expect((await bed.call('reviews', '/', { headers })).status).toBe(200);
  return (await bed.call('reviews')).status;
});
