import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ask, shares } from '../../support/asking.js';
import { until } from '../../support/until.js';
import { localWorld, type World } from '../../vectors/world.js';

/** Istio's routing, behaviour by behaviour, through the public door. */
let world: World;
beforeAll(async () => {
  world = await localWorld();
});
afterAll(() => world.close());
beforeEach(async () => {
  await world.clear();
  await world.script({}, 'reset');
});

const SUBSETS = `apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: reviews }
spec:
  host: reviews
  subsets: [ { name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }, { name: v9, labels: { version: v9 } } ]
`;
const rules = (...http: string[]): string =>
  `${SUBSETS}---\napiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: reviews }\nspec:\n  hosts: [ reviews ]\n  http:\n${http.map((rule) => `  - ${rule}`).join('\n')}\n`;
const to = (subset: string, more = ''): string =>
  `route: [ { destination: { host: reviews, subset: ${subset} }${more} } ]`;
const apply = async (...http: string[]) => expect(await world.apply('p.yaml', rules(...http))).toEqual([]);

describe('VirtualService', () => {
  it('B-040: a rule for everything cuts off all behind it', async () => {
    await apply(
      `{ match: [ { uri: { regex: '.*' } } ], ${to('v1')} }`,
      `{ match: [ { uri: { exact: /only } } ], ${to('v2')} }`,
    );
    expect((await ask(world, '/only')).pod).toBe('reviews-v1');
  });

  it('B-041: withoutHeaders takes a field that is missing for an empty one', async () => {
    const abort = 'fault: { abort: { httpStatus: 403, percentage: { value: 100 } } }';
    await apply(
      `{ match: [ { withoutHeaders: { end-user: { exact: jason } } } ], ${abort}, ${to('v1')} }`,
      `{ ${to('v1')} }`,
    );
    expect((await ask(world, '/', { headers: { 'end-user': 'jason' } })).status).toBe(200);
    expect((await ask(world, '/', { headers: { 'end-user': 'not-jason' } })).status).toBe(403);
    expect((await ask(world, '/')).status).toBe(403);
  });

  it('B-043: redirects keep the query, and answer 301', async () => {
    await apply(
      '{ match: [ { uri: { exact: /foo } } ], redirect: { uri: /new/path } }',
      '{ match: [ { uri: { prefix: /foo/ } } ], redirect: { prefixRewrite: /new/ } }',
    );
    const whole = await ask(world, '/foo?key=value');
    expect([whole.status, whole.headers['location']]).toEqual([301, ['http://reviews:9080/new/path?key=value']]);
    expect((await ask(world, '/foo/bar')).headers['location']).toEqual(['http://reviews:9080/new/bar']);
  });

  it('B-045: rewrites what the app sees of path and host', async () => {
    await apply(
      `{ match: [ { uri: { exact: /foo } } ], rewrite: { uri: /new/path }, ${to('v1')} }`,
      `{ rewrite: { authority: new-authority }, ${to('v1')} }`,
    );
    expect((await ask(world, '/foo?key=value')).hits).toEqual(['reviews-v1 GET /new/path?key=value reviews:9080']);
    expect((await ask(world, '/else')).hits).toEqual(['reviews-v1 GET /else new-authority']);
  });

  it("B-046: of two hosts that are set, the rule's wins over the destination's", async () => {
    const set = (host: string) => `headers: { request: { set: { ':authority': ${host} } } }`;
    await apply(`{ ${set('rule.example')}, ${to('v1', `, ${set('destination.example')}`)} }`);
    expect((await ask(world, '/')).hits).toEqual(['reviews-v1 GET / rule.example']);
  });

  it('B-048: preflights are answered by the sidecar, other origins get no permission', async () => {
    const cors =
      'corsPolicy: { allowOrigins: [ { exact: cors.com } ], allowMethods: [POST, GET], allowHeaders: [X-Foo-Bar, X-Foo-Baz], maxAge: 24h }';
    await apply(`{ ${cors}, ${to('v1')} }`);
    const asked = { origin: 'cors.com', 'access-control-request-method': 'DELETE' };
    const preflight = await ask(world, '/', { method: 'OPTIONS', headers: asked });
    expect(preflight.status).toBe(200);
    expect(preflight.hits).toEqual([]);
    expect(preflight.headers['access-control-allow-origin']).toEqual(['cors.com']);
    expect(preflight.headers['access-control-allow-methods']).toEqual(['POST,GET']);
    expect(preflight.headers['access-control-allow-headers']).toEqual(['X-Foo-Bar,X-Foo-Baz']);
    expect(preflight.headers['access-control-max-age']).toEqual(['86400']);
    const own = await ask(world, '/', { headers: { origin: 'cors.com' } });
    expect([own.status, own.headers['access-control-allow-origin']]).toEqual([200, ['cors.com']]);
    const other = await ask(world, '/', { headers: { origin: 'else.com' } });
    expect([other.status, other.headers['access-control-allow-origin']]).toEqual([200, undefined]);
  });

  it('B-049: aborts with an HTTP status, or as gRPC has it', async () => {
    const abort = (what: string) => `fault: { abort: { ${what}, percentage: { value: 100 } } }`;
    await apply(
      `{ match: [ { uri: { prefix: /grpc } } ], ${abort('grpcStatus: UNAVAILABLE')}, ${to('v1')} }`,
      `{ ${abort('httpStatus: 418')}, ${to('v1')} }`,
    );
    expect((await ask(world, '/')).status).toBe(418);
    const grpc = await ask(world, '/grpc', { method: 'POST', headers: { 'content-type': 'application/grpc' } });
    expect([grpc.status, grpc.headers['grpc-status'], grpc.hits]).toEqual([200, ['14'], []]);
  });

  it.each([50, 80])('B-050: shifts %i of 100, within ten', async (share) => {
    const weighted = (subset: string, weight: number) =>
      `{ destination: { host: reviews, subset: ${subset} }, weight: ${weight} }`;
    await apply(`{ route: [ ${weighted('v1', share)}, ${weighted('v2', 100 - share)} ] }`);
    const counts = await shares(world, 100);
    expect(Math.abs((counts['reviews-v1'] ?? 0) - share)).toBeLessThanOrEqual(10);
    expect((counts['reviews-v1'] ?? 0) + (counts['reviews-v2'] ?? 0)).toBe(100);
  });

  it('B-051, B-053: a prefix is plain text; where nothing matches it is 404, never the plain service', async () => {
    await apply(`{ match: [ { uri: { prefix: /v2 } } ], ${to('v2')} }`);
    expect((await ask(world, '/v2example')).pod).toBe('reviews-v2');
    const nothing = await ask(world, '/');
    expect([nothing.status, nothing.flags, nothing.body]).toEqual([404, 'NR', '']);
  });

  it('B-054: destinations that do not exist are 503 NC, subsets that select nobody 503 UH', async () => {
    await apply(
      '{ match: [ { uri: { exact: /host } } ], route: [ { destination: { host: nobody } } ] }',
      `{ match: [ { uri: { exact: /subset } } ], ${to('v7')} }`,
      `{ match: [ { uri: { exact: /nobody } } ], ${to('v9')} }`,
    );
    for (const [path, flag] of [
      ['/host', 'NC'],
      ['/subset', 'NC'],
      ['/nobody', 'UH'],
    ] as const) {
      const { status, flags } = await ask(world, path);
      expect([path, status, flags]).toEqual([path, 503, flag]);
    }
  });

  it('B-055: weights that are all 0 are refused', async () => {
    const zero = (subset: string) => `{ destination: { host: reviews, subset: ${subset} }, weight: 0 }`;
    const problems = await world.apply('p.yaml', rules(`{ route: [ ${zero('v1')}, ${zero('v2')} ] }`));
    expect(problems.join()).toContain('total destination weight = 0');
  });

  it('B-059: with REGISTRY_ONLY a host that nobody declared is 502, and 200 behind a ServiceEntry', async () => {
    const only =
      'apiVersion: networking.istio.io/v1\nkind: Sidecar\nmetadata: { name: default }\nspec: { outboundTrafficPolicy: { mode: REGISTRY_ONLY }, egress: [ { hosts: ["*/*"] } ] }\n';
    await world.apply('p.yaml', only);
    expect((await ask(world, '/', { host: 'shop.example:9080' })).status).toBe(502);
    const entry = `apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: shop }
spec:
  hosts: [ shop.example ]
  ports: [ { number: 9080, name: http, protocol: HTTP } ]
  resolution: STATIC
  endpoints: [ { address: 127.0.0.1, ports: { http: 1 } } ]
`;
    await world.apply('q.yaml', entry);
    // Declared: it is asked, whether somebody listens there or not.
    const declared = await ask(world, '/', { host: 'shop.example:9080' });
    expect([declared.status, declared.flags]).toEqual([503, 'URX,UF']);
  });

  it('B-060: a mirror gets a copy with the same host, and only the first answer counts', async () => {
    await world.script({ 'reviews-v2': { status: 503 } }, 'keep');
    await apply(`{ ${to('v1')}, mirror: { host: reviews, subset: v2 } }`);
    const { status, pod, hits } = await ask(world, '/a');
    expect([status, pod]).toEqual([200, 'reviews-v1']);
    const seen = [...hits];
    await until(async () => {
      const { hits: later } = await world.take();
      for (const { pod: name, path, lines } of later)
        seen.push(`${name} GET ${path} ${lines[lines.indexOf('host') + 1]}`);
      return seen.length === 2;
    }, 'the copy arrives');
    expect(seen.sort()).toEqual(['reviews-v1 GET /a reviews:9080', 'reviews-v2 GET /a reviews:9080']);
  });
});
