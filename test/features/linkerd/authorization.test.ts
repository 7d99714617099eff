import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { document, type LinkerdBed, linkerdBed, policy } from './bed.js';

let bed: LinkerdBed;

beforeAll(async () => {
  bed = await linkerdBed({
    reviews: (_, response) => response.end('reviews'),
    batch: (_, response) => response.end(),
  });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const server = (more = ''): string =>
  policy('Server', 'reviews', `{ podSelector: { matchLabels: { app: reviews } }, port: 9080${more} }`, 'v1beta3');
const identities = (name: string, ...ids: readonly string[]): string =>
  policy('MeshTLSAuthentication', name, `{ identities: ${JSON.stringify(ids)} }`);
const networks = (name: string, ...cidrs: readonly string[]): string =>
  policy('NetworkAuthentication', name, `{ networks: [ ${cidrs.map((cidr) => `{ cidr: ${cidr} }`).join(', ')} ] }`);
const ref = (kind: string, name: string): string => `{ group: policy.linkerd.io, kind: ${kind}, name: ${name} }`;
const authorize = (name: string, target: string, ...refs: readonly string[]): string =>
  policy(
    'AuthorizationPolicy',
    name,
    `{ targetRef: { group: policy.linkerd.io, ${target} }, requiredAuthenticationRefs: [ ${refs.join(', ')} ] }`,
  );
const ON_SERVER = 'kind: Server, name: reviews';
const LOOPBACK = '127.0.0.0/8';
const id = (account: string): string => `${account}.default.serviceaccount.identity.linkerd.cluster.local`;

/** What `web` and somebody without a sidecar are answered. */
async function both(path = '/'): Promise<[meshed: number, unmeshed: number]> {
  return [(await bed.call('reviews', path)).status, await bed.callUnmeshed('reviews', path)];
}

const route = (name: string, path: string): string =>
  policy(
    'HTTPRoute',
    name,
    `{ parentRefs: [ ${ref('Server', 'reviews')} ], rules: [ { matches: [ { path: { type: Exact, value: ${path} } } ] } ] }`,
    'v1beta3',
  );

describe('a Server', () => {
  it('without an authorization lets nobody in, and without a Server everybody may call', async () => {
    expect(await both()).toEqual([200, 200]);
    await bed.apply(server());
    expect(await both()).toEqual([403, 403]);
  });

  it('B-122: authorizes by route, answers 404 where no route is met, and adds what holds for all of it', async () => {
    const meshed = identities('meshed', '*');
    await bed.apply(server(), meshed, route('root', '/'), route('roux', '/roux'));
    await bed.apply(authorize('root', 'kind: HTTPRoute, name: root', ref('MeshTLSAuthentication', 'meshed')));
    expect(await both('/')).toEqual([200, 403]);
    expect(await both('/noroute')).toEqual([404, 404]);
    expect(await both('/roux')).toEqual([403, 403]);
    await bed.apply(authorize('all', ON_SERVER, ref('MeshTLSAuthentication', 'meshed')));
    expect(await both('/roux')).toEqual([200, 403]);
  });

  it('gives a request to its most specific route only', async () => {
    const prefix = policy(
      'HTTPRoute',
      'all',
      `{ parentRefs: [ ${ref('Server', 'reviews')} ], rules: [ { matches: [ { path: { value: / } } ] } ] }`,
      'v1beta3',
    );
    await bed.apply(server(), prefix, route('admin', '/admin'), authorize('all', 'kind: HTTPRoute, name: all'));
    expect(await both('/any')).toEqual([200, 200]);
    expect(await both('/admin')).toEqual([403, 403]);
  });

  it('B-124: that audits lets in what nothing authorizes', async () => {
    await bed.apply(server());
    expect(await both()).toEqual([403, 403]);
    await bed.apply(server(', accessPolicy: audit'));
    expect(await both()).toEqual([200, 200]);
  });

  it.each([
    ['all-unauthenticated', [200, 200]],
    ['all-authenticated', [200, 403]],
    ['cluster-authenticated', [200, 403]],
    ['deny', [403, 403]],
  ])('with accessPolicy %s answers %j', async (access, answers) => {
    await bed.apply(server(`, accessPolicy: ${access}`));
    expect(await both()).toEqual(answers);
  });

  it('says nothing of another port', async () => {
    await bed.apply(
      policy('Server', 'reviews', '{ podSelector: { matchLabels: { app: reviews } }, port: 9999 }', 'v1beta1'),
    );
    expect(await both()).toEqual([200, 200]);
  });
});

describe('B-123: who is authenticated', () => {
  it.each([
    ['everybody with an identity', ['*'], [200, 403]],
    ['an account by its identity', [id('web')], [200, 403]],
    ['another account', [id('batch')], [403, 403]],
    ['a namespace', [`*.default.serviceaccount.identity.linkerd.cluster.local`], [200, 403]],
    ['another namespace', [`*.other.serviceaccount.identity.linkerd.cluster.local`], [403, 403]],
  ])('meshtls: %s', async (_, ids, answers) => {
    await bed.apply(
      server(),
      identities('who', ...ids),
      authorize('a', ON_SERVER, ref('MeshTLSAuthentication', 'who')),
    );
    expect(await both()).toEqual(answers);
  });

  it('network: by where the connection comes from', async () => {
    await bed.apply(
      server(),
      networks('net', LOOPBACK),
      authorize('a', ON_SERVER, ref('NetworkAuthentication', 'net')),
    );
    expect(await both()).toEqual([200, 200]);
    await bed.apply(networks('net', '10.1.0.0/16'));
    expect(await both()).toEqual([403, 403]);
    await bed.apply(
      policy('NetworkAuthentication', 'net', `{ networks: [ { cidr: ${LOOPBACK}, except: [ 127.0.0.1/32 ] } ] }`),
    );
    expect(await both()).toEqual([403, 403]);
  });

  it('both: all that one policy requires must be met', async () => {
    const required = [ref('MeshTLSAuthentication', 'who'), ref('NetworkAuthentication', 'net')];
    await bed.apply(
      server(),
      identities('who', '*'),
      networks('net', LOOPBACK),
      authorize('a', ON_SERVER, ...required),
    );
    expect(await both()).toEqual([200, 403]);
    await bed.apply(networks('net', '10.1.0.0/16'));
    expect(await both()).toEqual([403, 403]);
  });

  it('either: one of several policies is enough', async () => {
    await bed.apply(server(), identities('who', id('batch')), networks('net', LOOPBACK));
    await bed.apply(authorize('a', ON_SERVER, ref('MeshTLSAuthentication', 'who')));
    expect(await both()).toEqual([403, 403]);
    await bed.apply(authorize('b', ON_SERVER, ref('NetworkAuthentication', 'net')));
    expect(await both()).toEqual([200, 200]);
  });

  it('empty: nothing required lets anyone in; what is not there lets nobody in', async () => {
    await bed.apply(server(), authorize('a', ON_SERVER));
    expect(await both()).toEqual([200, 200]);
    await bed.apply(authorize('a', ON_SERVER, ref('MeshTLSAuthentication', 'nobody')));
    expect(await both()).toEqual([403, 403]);
  });

  it('a service account stands for itself, and a namespace for all of its Servers', async () => {
    const target = '{ kind: Namespace, name: default }';
    const account = '{ kind: ServiceAccount, name: web }';
    await bed.apply(
      server(),
      policy('AuthorizationPolicy', 'a', `{ targetRef: ${target}, requiredAuthenticationRefs: [ ${account} ] }`),
    );
    expect(await both()).toEqual([200, 403]);
    expect((await bed.call('reviews', '/', { from: 'batch' })).status).toBe(403);
  });
});

describe('ServerAuthorization', () => {
  const allow = (client: string): string =>
    policy('ServerAuthorization', 'old', `{ server: { name: reviews }, client: ${client} }`, 'v1beta1');

  it.each([
    ['{ unauthenticated: true }', [200, 200]],
    ['{ meshTLS: { serviceAccounts: [ { name: web } ] } }', [200, 403]],
    ['{ meshTLS: { identities: [ "*" ] } }', [200, 403]],
    ['{ meshTLS: { identities: [ "*" ] }, networks: [ { cidr: 10.1.0.0/16 } ] }', [403, 403]],
  ])('for %s answers %j', async (client, answers) => {
    await bed.apply(server(), allow(client));
    expect(await both()).toEqual(answers);
  });
});

describe('config.linkerd.io/default-inbound-policy', () => {
  const namespace = (word: string): string =>
    `apiVersion: v1\nkind: Namespace\nmetadata: { name: default, annotations: { config.linkerd.io/default-inbound-policy: ${word} } }`;

  it('holds for ports without a Server', async () => {
    await bed.apply(namespace('all-authenticated'));
    expect(await both()).toEqual([200, 403]);
    await bed.apply(namespace('deny'));
    expect(await both()).toEqual([403, 403]);
    await bed.apply(server(', accessPolicy: all-unauthenticated'));
    expect(await both()).toEqual([200, 200]);
  });

  it('of pods goes before that of their namespace', async () => {
    const pods = document(
      'apps/v1',
      'Deployment',
      'reviews',
      '{}',
      '{ selector: { matchLabels: { app: reviews } }, template: { metadata: { labels: { app: reviews }, annotations: { config.linkerd.io/default-inbound-policy: all-authenticated } }, spec: { containers: [ { name: app } ] } } }',
    );
    await bed.apply(namespace('deny'), pods);
    expect(await both()).toEqual([200, 403]);
    expect((await bed.call('batch')).status).toBe(403);
  });
});
