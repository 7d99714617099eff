import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { type LinkerdBed, linkerdBed, policy } from './bed.js';

/** What the app was shown, in the order in which it was called. */
let seen: { readonly url: string; readonly headers: Readonly<Record<string, string | string[] | undefined>> }[] = [];
let bed: LinkerdBed;

beforeAll(async () => {
  bed = await linkerdBed({
    reviews: ({ url = '', headers }, response) => {
      seen.push({ url, headers });
      response.setHeader('x-app', 'app');
      response.end('reviews');
    },
  });
});
afterEach(() => {
  seen = [];
  return bed.reset();
});
afterAll(() => bed.close());

const server = (accessPolicy = 'all-unauthenticated', proxyProtocol = 'unknown'): string =>
  policy(
    'Server',
    's',
    `{ podSelector: { matchLabels: { app: reviews } }, port: 9080, accessPolicy: ${accessPolicy}, proxyProtocol: ${proxyProtocol} }`,
    'v1beta3',
  );

const LINKERD = 'policy.linkerd.io/v1beta3';
const GATEWAY_API = 'gateway.networking.k8s.io/v1';
const AT_SERVER = '{ group: policy.linkerd.io, kind: Server, name: s }';

function route(name: string, rules: string, { apiVersion = LINKERD, kind = 'HTTPRoute', parents = AT_SERVER } = {}) {
  return `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: { name: ${name} }\nspec:\n  parentRefs: [ ${parents} ]\n  rules:\n  - ${rules}`;
}

const rule = (path: string, ...filters: readonly string[]): string =>
  `{ matches: [ { path: { value: ${path} } } ], filters: [ ${filters.join(', ')} ] }`;
const fields = (changes: string): string => `{ type: RequestHeaderModifier, requestHeaderModifier: { ${changes} } }`;
const redirect = (more: string): string => `{ type: RequestRedirect, requestRedirect: { ${more} } }`;
const field = (name: string, value: string): string => `{ name: ${name}, value: ${value} }`;

/** What is told of what happened, or would happen. */
const told = async (path: string): Promise<string[]> => {
  const { steps, summary } = await bed.mesh.client.call('explainRequest', { from: 'web', to: 'reviews:9080', path });
  return [summary, ...steps.map(({ text }) => text)];
};

/** What the sidecars told of a request, once the callee's has. */
async function happened(id: string): Promise<string> {
  for (;;) {
    const steps = (await bed.mesh.client.call('explain', { id }).catch(() => null))?.steps ?? [];
    const text = steps.map((step) => step.text).join('\n');
    if (text.includes('was asked by')) return text;
    await new Promise((resolve) => setTimeout(resolve, 40));
  }
}

const withId = (id: string) => ({ headers: { 'x-request-id': id } });

describe.each([LINKERD, GATEWAY_API])('RequestHeaderModifier at a Server: %s', (apiVersion) => {
  it('changes what the app is shown, and tells its rule', async () => {
    const changes = `set: [ ${field('x-set', '50%')} ], add: [ ${field('x-add', 'more')} ], remove: [ x-gone ]`;
    expect(await bed.apply(server(), route('r', rule('/', fields(changes)), { apiVersion }))).toEqual([]);
    const headers = { 'x-set': 'mine', 'x-add': 'mine', 'x-gone': 'mine', 'x-request-id': `fields-${apiVersion}` };
    expect((await bed.call('reviews', '/a', { headers })).status).toBe(200);
    expect(seen[0]?.headers).toMatchObject({ 'x-set': '50%', 'x-add': 'mine, more' });
    expect(seen[0]?.headers).not.toHaveProperty('x-gone');
    expect(await happened(`fields-${apiVersion}`)).toContain(
      'rule 1 of HTTPRoute default/r changed its fields (policies.yaml:12)',
    );
    expect(await told('/a')).toContainEqual(
      'reviews: rule 1 of HTTPRoute default/r changes its fields (policies.yaml:12)',
    );
  });
});

describe('RequestHeaderModifier at a Server', () => {
  it('adds, then sets, then removes, as Linkerd does', async () => {
    const changes = `add: [ ${field('x-a', 'added')}, ${field('x-b', 'added')} ], set: [ ${field('x-a', 'set')}, ${field('x-c', 'set')} ], remove: [ x-b, X-C ]`;
    await bed.apply(server(), route('r', rule('/', fields(changes))));
    await bed.call('reviews');
    expect(seen[0]?.headers['x-a']).toBe('set');
    expect(seen[0]?.headers).not.toHaveProperty('x-b');
    expect(seen[0]?.headers).not.toHaveProperty('x-c');
  });

  it('may set the host', async () => {
    await bed.apply(server(), route('r', rule('/', fields(`set: [ ${field('Host', 'other.example')} ]`))));
    await bed.call('reviews');
    expect(seen[0]?.headers.host).toBe('other.example');
  });

  it('is that of the most specific route only', async () => {
    const set = (value: string) => fields(`set: [ ${field('x-route', value)} ]`);
    await bed.apply(
      server(),
      route('all', rule('/', set('all'))),
      route('some', rule('/some', set('some'))),
      route('none', rule('/some/none')),
    );
    for (const path of ['/', '/some', '/some/none/at-all', '/some/other']) await bed.call('reviews', path);
    expect(seen.map(({ headers }) => headers['x-route'])).toEqual(['all', 'some', undefined, 'some']);
  });

  it('holds at the ports of its Server and no other', async () => {
    const other = policy('Server', 's', '{ podSelector: { matchLabels: { app: reviews } }, port: 9999 }', 'v1beta3');
    await bed.apply(other, route('r', rule('/', fields(`set: [ ${field('x-set', 'a')} ]`))));
    await bed.call('reviews');
    expect(seen[0]?.headers).not.toHaveProperty('x-set');
  });

  it('is obeyed for gRPC calls', async () => {
    const grpc = `{ matches: [ { method: { service: shop.Cart } } ], filters: [ ${fields(`set: [ ${field('x-set', 'grpc')} ]`)} ] }`;
    const routed = route('g', grpc, { apiVersion: GATEWAY_API, kind: 'GRPCRoute' });
    expect(await bed.apply(server('all-unauthenticated', 'gRPC'), routed)).toEqual([]);
    await bed.call('reviews', '/shop.Cart/Add', { method: 'POST', headers: { 'content-type': 'application/grpc' } });
    expect(seen[0]?.headers['x-set']).toBe('grpc');
  });

  it.each([
    ['a GRPCRoute where HTTP is spoken', 'HTTP/2', 'GRPCRoute'],
    ['a GRPCRoute where nobody says what is spoken', 'unknown', 'GRPCRoute'],
    ['an HTTPRoute where gRPC is spoken', 'gRPC', 'HTTPRoute'],
  ])('%s counts for nothing, and is told', async (_, protocol, kind) => {
    const filters = `filters: [ ${fields(`set: [ ${field('x-set', 'a')} ]`)} ]`;
    const routed = route('r', `{ ${filters} }`, { apiVersion: GATEWAY_API, kind });
    expect(await bed.apply(server('all-unauthenticated', protocol), routed)).toEqual(['MS0001']);
    expect((await bed.call('reviews')).status).toBe(200);
    expect(seen[0]?.headers['x-set']).toBeUndefined();
  });

  it('is in force as soon as it is applied, and gone with its route', async () => {
    await bed.apply(server());
    await bed.call('reviews');
    await bed.apply(route('r', rule('/', fields(`set: [ ${field('x-set', 'a')} ]`))));
    await bed.call('reviews');
    await bed.apply(route('r', rule('/')));
    await bed.call('reviews');
    expect(seen.map(({ headers }) => headers['x-set'])).toEqual([undefined, 'a', undefined]);
  });
});

describe('RequestRedirect at a Server', () => {
  it.each([
    ['hostname: elsewhere.example', 302, 'http://elsewhere.example:9080/old/x?a=1'],
    ['hostname: elsewhere.example, port: 80, statusCode: 301', 301, 'http://elsewhere.example:80/old/x?a=1'],
    ['scheme: https', 302, 'https://reviews:9080/old/x?a=1'],
    ['port: 80', 302, 'http://reviews/old/x?a=1'],
    ['port: 8443, scheme: https', 302, 'https://reviews:8443/old/x?a=1'],
    ['path: { type: ReplaceFullPath, replaceFullPath: /new }', 302, 'http://reviews:9080/new'],
    ['path: { type: ReplacePrefixMatch, replacePrefixMatch: /new }', 302, 'http://reviews:9080/new/x?a=1'],
  ])('%s', async (more, status, location) => {
    expect(await bed.apply(server(), route('r', rule('/old', redirect(more))))).toEqual([]);
    const answer = await bed.call('reviews', '/old/x?a=1', { headers: { host: 'reviews:9080' } });
    expect([answer.status, answer.headers.location, seen.length]).toEqual([status, location, 0]);
    expect(answer.headers['l5d-proxy-error']).toBe('redirected');
  });

  it('tells its rule, where it happened and where it would', async () => {
    await bed.apply(
      server(),
      route('r', rule('/old', redirect('hostname: elsewhere.example'))),
      route('all', rule('/')),
    );
    expect((await bed.call('reviews', '/old', withId('redirected'))).status).toBe(302);
    const text = await happened('redirected');
    expect(text).toContain('rule 1 of HTTPRoute default/r redirected it (policies.yaml:12)');
    expect(text).toContain('the sidecar of reviews itself answered 302');
    expect(text).not.toContain('the app of reviews answered');
    const [summary, ...steps] = await told('/old');
    expect(summary).toBe('GET /old would be answered 302 by the mesh');
    expect(steps).toContainEqual(
      'reviews: rule 1 of HTTPRoute default/r sends the caller elsewhere, 302 (policies.yaml:12)',
    );
    expect((await told('/new'))[0]).toContain('would go to reviews');
  });

  it('counts for nothing where it leads to where the request is', async () => {
    const same = redirect('path: { type: ReplaceFullPath, replaceFullPath: /here }');
    await bed.apply(server(), route('r', rule('/', same, fields(`set: [ ${field('x-set', 'a')} ]`))));
    expect((await bed.call('reviews', '/there')).status).toBe(302);
    expect((await bed.call('reviews', '/here')).status).toBe(200);
    expect(seen.map(({ url, headers }) => [url, headers['x-set']])).toEqual([['/here', 'a']]);
    expect((await told('/there'))[0]).toContain('302');
    expect((await told('/here'))[0]).toContain('would go to reviews');
  });

  it('is for those whom authorization lets in', async () => {
    await bed.apply(server('deny'), route('r', rule('/old', redirect('hostname: elsewhere.example'))));
    expect([(await bed.call('reviews', '/old')).status, await bed.callUnmeshed('reviews', '/old')]).toEqual([403, 403]);
    expect((await told('/old'))[0]).toContain('403');
    await bed.apply(
      policy('MeshTLSAuthentication', 'meshed', '{ identities: [ "*" ] }'),
      policy(
        'AuthorizationPolicy',
        'a',
        '{ targetRef: { group: policy.linkerd.io, kind: HTTPRoute, name: r }, requiredAuthenticationRefs: [ { group: policy.linkerd.io, kind: MeshTLSAuthentication, name: meshed } ] }',
      ),
    );
    expect([(await bed.call('reviews', '/old')).status, await bed.callUnmeshed('reviews', '/old')]).toEqual([302, 403]);
    expect((await told('/old'))[0]).toContain('302');
    expect(seen).toEqual([]);
  });
});

it('diff says what becomes of whose requests', async () => {
  await bed.apply(server());
  const text = `${route('r', rule('/old', redirect('hostname: elsewhere.example')))}\n  - ${rule('/', fields(`set: [ ${field('x-set', 'a')} ]`))}`;
  const { differences } = await bed.mesh.client.call('diffResources', { files: [{ name: 'p.yaml', text }] });
  const ofRoutes = differences.filter(({ text: words }) => words.includes('HTTPRoute'));
  expect(ofRoutes.map(({ about, text: words, source }) => `${source?.line} ${about}: ${words}`)).toEqual([
    '7 callers of reviews: rule 1 of HTTPRoute default/r: requests where the path is /old or below it are sent elsewhere with 302 (elsewhere.example)',
    '8 callers of reviews: rule 2 of HTTPRoute default/r: all requests reach the app, with x-set: a',
  ]);
});

describe('hostnames of a route at a Server', () => {
  it('tell requests apart before anything else does', async () => {
    const named = (name: string, hostnames: string, path: string) =>
      route(name, rule(path, fields(`set: [ ${field('x-route', name)} ]`))).replace(
        'spec:\n',
        `spec:\n  hostnames: [ ${hostnames} ]\n`,
      );
    await bed.apply(
      server(),
      named('wild', '"*.example"', '/long/path'),
      named('exact', 'a.example, reviews', '/'),
      named('none', '', '/long/path/too').replace('  hostnames: [  ]\n', ''),
    );
    const view = (await bed.mesh.client.call('workloads', {})).find(({ name }) => name === 'reviews');
    const asked = async (host: string, path: string) => {
      seen = [];
      const { status } = await bed.ask(`http://127.0.0.1:${view?.listenPorts['in:9080']}`, path, { headers: { host } });
      return seen[0]?.headers['x-route'] ?? status;
    };
    expect(await asked('reviews:9080', '/long/path/too')).toBe('exact');
    expect(await asked('a.example', '/long/path')).toBe('exact');
    expect(await asked('b.example', '/long/path/too')).toBe('wild');
    expect(await asked('b.example', '/')).toBe(404);
    expect(await asked('other', '/long/path/too')).toBe('none');
    expect(await asked('areviews', '/')).toBe(404);
  });
});

describe('what has no effect at a Server', () => {
  const find = async (...documents: readonly string[]) => {
    const files = [{ name: 'policies.yaml', text: documents.join('\n---\n') }];
    const { applied, findings } = await bed.mesh.client.call('applyResources', { files });
    expect(applied).toBe(true);
    return findings.map(({ message, source }) => `${source?.line}: ${message}`);
  };

  it('is told, and the rest is obeyed', async () => {
    const answers = `{ type: ResponseHeaderModifier, responseHeaderModifier: { set: [ ${field('x-app', 'other')} ] } }`;
    const rules = `matches: [ { path: { value: / } } ]
    filters: [ ${answers}, ${fields(`set: [ ${field('x-set', 'a')} ]`)} ]
    timeouts: { request: 1ms }
    backendRefs: [ { name: ratings, port: 9080 } ]`;
    expect(await find(server(), route('r', rules))).toEqual([
      '13: ResponseHeaderModifier has no effect at a Server (Linkerd)',
      '15: backendRefs has no effect at a Server (Linkerd)',
      '14: timeouts has no effect at a Server (Linkerd)',
    ]);
    expect((await bed.call('reviews')).headers['x-app']).toBe('app');
    expect(seen[0]?.headers['x-set']).toBe('a');
  });

  it.each([
    ['URLRewrite', '{ type: URLRewrite, urlRewrite: { hostname: a.example } }'],
    ['RequestMirror', '{ type: RequestMirror, requestMirror: { backendRef: { name: reviews, port: 9080 } } }'],
    ['CORS', '{ type: CORS, cors: { allowOrigins: [ "*" ] } }'],
    ['ExtensionRef', '{ type: ExtensionRef, extensionRef: { group: a.example, kind: A, name: a } }'],
  ])('%s makes it ignore the whole route, which is told', async (type, filter) => {
    const rules = `${rule('/a', filter)}\n  - ${rule('/b', redirect('hostname: elsewhere.example'))}`;
    const [only, ...more] = await find(server(), route('r', rules, { apiVersion: GATEWAY_API }));
    expect(only).toContain(`12: the filter ${type} is not known at a Server, so the whole route is ignored`);
    expect(more).toEqual([]);
    for (const path of ['/a', '/b', '/c']) expect((await bed.call('reviews', path)).status).toBe(200);
    // Beside another route its requests are nobody's.
    await bed.apply(route('other', rule('/c')));
    expect([(await bed.call('reviews', '/a')).status, (await bed.call('reviews', '/c')).status]).toEqual([404, 200]);
  });

  it.each(['namespace: other', 'port: 9080', 'sectionName: a'])('a parent with %s ignores it too', async (more) => {
    const second = AT_SERVER.replace('name: s', `name: t, ${more}`);
    const redirecting = rule('/', redirect('hostname: elsewhere.example'));
    const findings = await find(server(), route('r', redirecting, { parents: `${AT_SERVER}, ${second}` }));
    expect(findings).toEqual([expect.stringContaining('so the whole route is ignored at its Servers')]);
    expect((await bed.call('reviews')).status).toBe(200);
  });

  it.each(['path: { type: ReplaceFullPath, replaceFullPath: new }'])('a redirect to no path: %s', async (more) => {
    const findings = await find(server(), route('r', rule('/', redirect(more))));
    expect(findings).toEqual([expect.stringContaining('12: a redirect at a Server has an absolute path')]);
    expect((await bed.call('reviews')).status).toBe(200);
  });
});
