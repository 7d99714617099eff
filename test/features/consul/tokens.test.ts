import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type PolicyBed, policyBed } from '../../support/policy-bed.js';
import { issuerOf } from '../../support/tokens.js';
import { entry } from './entries.js';

let bed: PolicyBed;
let seen: Record<string, unknown> = {};

beforeAll(async () => {
  bed = await policyBed('consul', {
    reviews: ({ headers }, response) => {
      seen = headers;
      response.end();
    },
    batch: (_, response) => response.end(),
  });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const [okta, other] = [issuerOf('https://okta'), issuerOf('https://other')];
const base64 = (text: string) => Buffer.from(text).toString('base64');
const provider = (name: string, issuer: typeof okta, iss: string, more = '') =>
  entry('JWTProvider', name, `{ issuer: ${iss}, jsonWebKeySet: { local: { jwks: ${base64(issuer.jwks)} } }${more} }`);
const PROVIDERS = [provider('okta', okta, 'https://okta'), provider('other', other, 'https://other')];
const intentions = (spec: string) => entry('ServiceIntentions', 'reviews', spec);
const needs = (name: string, more = '') => `jwt: { providers: [ { name: ${name}${more} } ] }`;

async function statusOf(token = '', path = '/', from = 'web'): Promise<number> {
  const headers: Record<string, string> = token === '' ? {} : { authorization: `Bearer ${token}` };
  return (await bed.call('reviews', path, { from, headers })).status;
}

describe('trap 25: an intention that asks for a token', () => {
  it('keeps out who has none, a bad one, or one of somebody else', async () => {
    await bed.apply(...PROVIDERS, intentions(`{ sources: [ { name: web, action: allow } ], ${needs('okta')} }`));
    expect(await statusOf()).toBe(403);
    expect(await statusOf(okta.token())).toBe(200);
    expect(await statusOf(okta.token({}, -3600))).toBe(403);
    expect(await statusOf('nonsense')).toBe(403);
    expect(await statusOf(other.token())).toBe(403);
    // An intention says nothing of whom it does not name.
    expect(await statusOf('', '/', 'batch')).toBe(200);
    expect(seen['authorization']).toBeUndefined();
  });

  it('asks for claims', async () => {
    const claims = ', verifyClaims: [ { path: [ user, role ], value: admin } ]';
    await bed.apply(
      ...PROVIDERS,
      intentions(`{ sources: [ { name: '*', action: allow } ], ${needs('okta', claims)} }`),
    );
    expect(await statusOf(okta.token())).toBe(403);
    expect(await statusOf(okta.token({ user: { role: 'guest' } }))).toBe(403);
    expect(await statusOf(okta.token({ user: { role: 'admin' } }))).toBe(200);
  });

  it('or a permission of it, for what that is about', async () => {
    const admin = `{ action: allow, http: { pathPrefix: /admin }, ${needs('okta')} }`;
    await bed.apply(...PROVIDERS, intentions(`{ sources: [ { name: web, permissions: [ ${admin} ] } ] }`));
    expect([await statusOf('', '/admin'), await statusOf(okta.token(), '/admin')]).toEqual([403, 200]);
    expect([await statusOf('', '/'), await statusOf('nonsense', '/')]).toEqual([200, 200]);
  });

  it('and both ask together, each for a token of its own', async () => {
    const admin = `{ action: allow, http: { pathPrefix: /admin }, ${needs('okta', ', verifyClaims: [ { path: [ role ], value: admin } ]')} }`;
    await bed.apply(
      ...PROVIDERS,
      intentions(`{ ${needs('okta')}, sources: [ { name: web, permissions: [ ${admin} ] } ] }`),
    );
    expect([await statusOf('', '/'), await statusOf(okta.token(), '/')]).toEqual([403, 200]);
    expect(await statusOf(okta.token(), '/admin')).toBe(403);
    expect(await statusOf(okta.token({ role: 'admin' }), '/admin')).toBe(200);
  });

  it('finds tokens where the provider says, and hands on what it says', async () => {
    const places =
      ', locations: [ { header: { name: X-Token, valuePrefix: "Value ", forward: true } }, { cookie: { name: t } } ], forwarding: { headerName: X-Payload }';
    await bed.apply(
      provider('okta', okta, 'https://okta', places),
      intentions(`{ sources: [ { name: web, action: allow } ], ${needs('okta')} }`),
    );
    const token = okta.token({ sub: 'u' });
    const asks = async (headers: Record<string, string>) => (await bed.call('reviews', '/', { headers })).status;
    expect(await asks({ authorization: `Bearer ${token}` })).toBe(403);
    expect(await asks({ 'x-token': `Value ${token}` })).toBe(200);
    expect(seen['x-token']).toBe(`Value ${token}`);
    expect(seen['x-payload']).toBe(token.split('.')[1]);
    expect(await asks({ cookie: `t=${token}` })).toBe(200);
  });

  it('fills up what it hands on, where the provider says so', async () => {
    const forwarding = (more: string) => `, forwarding: { headerName: X-Payload${more} }`;
    const asks = intentions(`{ sources: [ { name: web, action: allow } ], ${needs('okta')} }`);
    // Claims of growing length: every way in which base64 can end.
    for (const sub of ['u', 'uu', 'uuu']) {
      const token = okta.token({ sub });
      const bare = token.split('.')[1] ?? '';
      await bed.apply(provider('okta', okta, 'https://okta', forwarding('')), asks);
      expect(await statusOf(token)).toBe(200);
      expect(seen['x-payload']).toBe(bare);
      await bed.apply(provider('okta', okta, 'https://okta', forwarding(', padForwardPayloadHeader: true')), asks);
      expect(await statusOf(token)).toBe(200);
      expect(seen['x-payload']).toBe(bare + '='.repeat((4 - (bare.length % 4)) % 4));
    }
  });

  it('of a provider whose keys are fetched lets nobody in, and is told', async () => {
    const remote = entry('JWTProvider', 'okta', '{ issuer: a, jsonWebKeySet: { remote: { uri: https://okta/keys } } }');
    const told = await bed.apply(remote, intentions(`{ sources: [ { name: web, action: allow } ], ${needs('okta')} }`));
    expect(told).toEqual(['MS0001']);
    expect(await statusOf(okta.token())).toBe(403);
  });

  it('of a provider that there is not is refused', async () => {
    const text = intentions(`{ sources: [ { name: web, action: allow } ], ${needs('okat')} }`);
    const files = [{ name: 'c.yaml', text: [...PROVIDERS, text].join('\n---\n') }];
    const { applied, findings } = await bed.mesh.client.call('applyResources', { files });
    expect([applied, findings.map(({ code, hint }) => [code, hint])]).toEqual([
      false,
      [['MS0234', 'did you mean okta?']],
    ]);
  });
});

describe('who calls', () => {
  const FIELD = 'x-forwarded-client-cert';
  const mesh = (sanitize: boolean) => entry('Mesh', 'mesh', `{ http: { sanitizeXForwardedClientCert: ${sanitize} } }`);

  it('is told to the app, unless the mesh keeps it back, over connections that are open too', async () => {
    const told = async () => {
      expect((await bed.call('reviews', '/', { headers: { [FIELD]: 'By=me' } })).status).toBe(200);
      return seen[FIELD];
    };
    expect(await told()).toMatch(/URI=spiffe:.*\/web$/);
    await bed.apply(mesh(true));
    expect(await told()).toBeUndefined();
    await bed.apply(mesh(false));
    expect(await told()).toMatch(/URI=spiffe:.*\/web$/);
  });
});
