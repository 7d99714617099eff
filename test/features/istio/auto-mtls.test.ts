import type { RequestListener } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';

let bed: PolicyBed;

/** Says how it was called: only who proved an identity is told to it. */
function app(name: string): RequestListener {
  return ({ headers }, response) =>
    response.end(`${name} ${headers['x-forwarded-client-cert'] === undefined ? 'plaintext' : 'mtls'}`);
}

beforeAll(async () => {
  const apps = Object.fromEntries(['reviews-v1', 'reviews-v2'].map((name) => [name, app(name)]));
  bed = await policyBed('istio', apps);
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const policy = (mode: string, { namespace = 'default', selector = '', ports = '' } = {}): string =>
  `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: p, namespace: ${namespace} }
spec: { mtls: { mode: ${mode} }${selector}${ports} }`;
const rule = (tls: string): string => `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec: { host: reviews, trafficPolicy: { tls: { ${tls} } } }`;

const V2 = ', selector: { matchLabels: { version: v2 } }';
const REVIEWS = ', selector: { matchLabels: { app: reviews } }';

/** What each workload that answered says of its callers. */
async function heard(): Promise<string[]> {
  const told = new Set<string>();
  for (let i = 0; i < 24; i++) {
    const { status, body } = await bed.call('reviews');
    told.add(status === 200 ? body : `${status}`);
  }
  return [...told].sort();
}

const described = async (): Promise<string> =>
  (await bed.mesh.client.call('explainRequest', { from: 'web', to: 'reviews', path: '/' })).steps
    .map(({ text }) => text)
    .join('\n');

describe('callers speak what the callee takes (automatic mTLS)', () => {
  it.each<[where: string, text: string, v1: string, v2: string]>([
    ['the mesh', policy('DISABLE', { namespace: 'istio-system' }), 'plaintext', 'plaintext'],
    ['a namespace', policy('DISABLE'), 'plaintext', 'plaintext'],
    ['some workloads', policy('DISABLE', { selector: V2 }), 'mtls', 'plaintext'],
    [
      'one port',
      policy('STRICT', { selector: REVIEWS, ports: ', portLevelMtls: { "9080": { mode: DISABLE } }' }),
      'plaintext',
      'plaintext',
    ],
    [
      'another port',
      policy('STRICT', { selector: REVIEWS, ports: ', portLevelMtls: { "9081": { mode: DISABLE } }' }),
      'mtls',
      'mtls',
    ],
    [
      'all but one port',
      policy('DISABLE', { selector: REVIEWS, ports: ', portLevelMtls: { "9080": { mode: STRICT } }' }),
      'mtls',
      'mtls',
    ],
  ])('switched off for %s', async (_, text, v1, v2) => {
    await bed.apply(text);
    expect(await heard()).toEqual([`reviews-v1 ${v1}`, `reviews-v2 ${v2}`]);
  });

  it('the gateway does so, too', async () => {
    await bed.apply(policy('DISABLE', { namespace: 'istio-system' }));
    expect((await bed.ask(bed.mesh.gatewayUrl, '/', { headers: { host: 'web' } })).status).toBe(200);
  });

  it('is switched on again with the policy gone', async () => {
    await bed.apply(policy('DISABLE'));
    expect(await heard()).toEqual(['reviews-v1 plaintext', 'reviews-v2 plaintext']);
    await bed.reset();
    expect(await heard()).toEqual(['reviews-v1 mtls', 'reviews-v2 mtls']);
  });

  it('ISTIO_MUTUAL is spoken all the same, and then nobody hears it', async () => {
    await bed.apply(policy('DISABLE'));
    await bed.apply(rule('mode: ISTIO_MUTUAL'));
    expect(await heard()).toEqual(['503']);
    expect(await described()).toContain('the TLS handshake with reviews failed');
  });
});

describe('what is told of it', () => {
  it('a described request says to whom it goes in plaintext, and why', async () => {
    await bed.apply(policy('DISABLE', { selector: V2 }));
    expect(await described()).toContain(
      'to one of reviews-v1, reviews-v2 of reviews, over mutual TLS, in plaintext to reviews-v2, since mutual TLS is switched off there (PeerAuthentication)',
    );
    await bed.reset();
    await bed.apply(policy('DISABLE'));
    expect(await described()).toContain('in plaintext, since mutual TLS is switched off there (PeerAuthentication)');
  });

  it('diff says so of the callers', async () => {
    const files = [{ name: 'p.yaml', text: policy('DISABLE', { selector: V2 }) }];
    const { differences } = await bed.mesh.client.call('diffResources', { files });
    const told = differences.find(({ about }) => about === 'connections to reviews:9080');
    expect(told?.text).toBe('encryption: mutual TLS → mutual TLS, plaintext to reviews-v2');
  });
});
