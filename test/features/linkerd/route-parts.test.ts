import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SidecarConfig } from '../../../src/model/sidecar-config.js';
import { document, httpRoute, type LinkerdBed, linkerdBed, service } from './bed.js';

let bed: LinkerdBed;
let tries = 0;

beforeAll(async () => {
  bed = await linkerdBed({
    reviews: (request, response) => response.end(`reviews ${request.url}`),
    canary: (_, response) => response.end('canary'),
    sick: (_, response) => {
      tries++;
      response.statusCode = 503;
      response.end();
    },
  });
});
afterEach(async () => {
  tries = 0;
  await bed.reset();
});
afterAll(() => bed.close());

const GATEWAY_API = 'gateway.networking.k8s.io/v1';
const parent = (name: string) => `{ group: core, kind: Service, name: ${name}, port: 9080 }`;
/** A route of the Gateway API, attached to a Service. */
const route = (to: string, rule: string, annotations = '{}', kind = 'HTTPRoute') =>
  document(GATEWAY_API, kind, 'r', annotations, `{ parentRefs: [ ${parent(to)} ], rules: [ ${rule} ] }`);
const backend = (name: string, more = '') => `backendRefs: [ { name: ${name}, port: 9080${more} } ]`;

/** What is told when documents are applied, with its line. */
async function told(...documents: readonly string[]): Promise<string[]> {
  const files = [{ name: 'r.yaml', text: documents.join('\n---\n') }];
  const { findings, applied } = await bed.mesh.client.call('applyResources', { files });
  expect(applied).toBe(true);
  return findings.map(({ code, source, message }) => `${code} ${source.line} ${message}`);
}

async function configOf(workload: string): Promise<SidecarConfig> {
  const { configs } = await bed.mesh.client.call('snapshot', {});
  return configs[workload] as SidecarConfig;
}

describe('what Linkerd takes of an HTTPRoute of the Gateway API', () => {
  it.each([
    ['URLRewrite', 'urlRewrite: { path: { type: ReplaceFullPath, replaceFullPath: /other } }'],
    ['RequestMirror', 'requestMirror: { backendRef: { name: canary, port: 9080 } }'],
    ['CORS', "cors: { allowOrigins: [ '*' ] }"],
  ])('a filter %s leaves the route out, and it is told', async (type, filter) => {
    expect(await told(route('reviews', `{ filters: [ { type: ${type}, ${filter} } ], ${backend('canary')} }`))).toEqual(
      [expect.stringMatching(`^MS0001 4 Linkerd knows no filter ${type}, so the whole route is dropped`)],
    );
    expect((await bed.call('reviews', '/own')).body).toBe('reviews /own');
  });

  it('at a backend it costs the share of that backend', async () => {
    const filters = '{ type: URLRewrite, urlRewrite: { hostname: a.b } }';
    expect(await told(route('reviews', `{ ${backend('canary', `, filters: [ ${filters} ]`)} }`))).toEqual([
      expect.stringMatching(/^MS0001 4 Linkerd knows no filter URLRewrite at a backend, so its share is answered 500/),
    ]);
    expect((await bed.call('reviews')).status).toBe(500);
  });

  it('retry is not looked at', async () => {
    const rule = `{ retry: { attempts: 3, codes: [ 503 ] }, ${backend('sick')} }`;
    expect(await told(route('sick', rule))).toEqual(['MS0001 4 Linkerd does not look at retry']);
    expect((await bed.call('sick')).status).toBe(503);
    expect(tries).toBe(1);
  });

  it('timeouts are not looked at; those of its own kind are', async () => {
    const rule = `{ timeouts: { request: 2s, backendRequest: 1s }, ${backend('reviews')} }`;
    const timeout = async () => {
      const hosts = (await configOf('web')).outbound.virtualHosts;
      const action = hosts.find(({ name }) => name === 'reviews')?.routes[0]?.action;
      return action?.kind === 'forward' ? action.timeoutMs : undefined;
    };
    expect(await told(route('reviews', rule))).toEqual([
      'MS0001 4 Linkerd does not look at request',
      'MS0001 4 Linkerd does not look at backendRequest',
    ]);
    expect(await timeout()).toBeNull();
    await bed.reset();
    expect(await told(httpRoute('own', 'reviews', `[ ${rule} ]`))).toEqual([
      'MS0001 4 Linkerd does not look at backendRequest',
    ]);
    expect(await timeout()).toBe(2_000);
  });

  it('an annotation that cannot be read leaves the route out', async () => {
    const findings = await told(route('reviews', `{ ${backend('canary')} }`, '{ timeout.linkerd.io/request: 0.1s }'));
    expect(findings).toEqual([
      expect.stringMatching(/^MS0201 3 timeout.linkerd.io\/request cannot be "0.1s"/),
      expect.stringMatching(/^MS0001 3 Linkerd cannot read timeout.linkerd.io\/request, so the whole route is dropped/),
    ]);
    expect((await bed.call('reviews')).body).toBe('reviews /');
  });
});

describe('GRPCRoutes of a Service', () => {
  const grpc = (to: string) =>
    document(GATEWAY_API, 'GRPCRoute', 'g', '{}', `{ parentRefs: [ ${to} ], rules: [ { ${backend('reviews')} } ] }`);
  const matched = `{ matches: [ { path: { value: /v } } ], ${backend('canary')} }`;

  it('hold alone: an HTTPRoute beside one has no effect, and its status says so', async () => {
    const rule = `{ matches: [ { method: { service: shop.Cart } } ], ${backend('reviews')} }`;
    const cart = document(
      GATEWAY_API,
      'GRPCRoute',
      'g',
      '{}',
      `{ parentRefs: [ ${parent('reviews')} ], rules: [ ${rule} ] }`,
    );
    expect(await told(route('reviews', matched), cart)).toEqual([
      expect.stringMatching(
        /^MS0147 4 GRPCRoute default\/g is about the same Service: in Linkerd GRPCRoutes hold alone/,
      ),
    ]);
    expect((await bed.call('reviews', '/v')).status).toBe(404);
    expect((await bed.call('reviews', '/shop.Cart/Add')).body).toBe('reviews /shop.Cart/Add');
    const resources = await bed.mesh.client.call('resources', { kind: 'HTTPRoute' });
    expect(resources[0]?.status).toMatchObject({
      parents: [{ conditions: [{ type: 'Accepted', status: 'False', reason: 'Conflicted' }, {}] }],
    });
  });

  it('of another port take nothing from the rest', async () => {
    const everywhere = route('reviews', matched).replace(', port: 9080 } ], rules', ' } ], rules');
    await told(everywhere, grpc('{ group: core, kind: Service, name: reviews, port: 9999 }'));
    expect((await bed.call('reviews', '/v')).body).toBe('canary');
  });
});

describe('routes of one Service are merged', () => {
  const named = (
    name: string,
    namespace: string,
    to: string,
    path: string,
    backendName: string,
  ) => `apiVersion: ${GATEWAY_API}
kind: HTTPRoute
metadata: { name: ${name}, namespace: ${namespace} }
spec: { parentRefs: [ ${to} ], rules: [ { matches: [ { path: { value: ${path} } } ], backendRefs: [ { name: ${backendName}, namespace: default, port: 9080 } ] } ] }`;
  const anyPort = '{ group: core, kind: Service, name: reviews, namespace: default }';

  it('with a port and without one', async () => {
    await bed.apply(
      named('a', 'default', parent('reviews'), '/a', 'canary'),
      named('b', 'default', anyPort, '/b', 'canary'),
    );
    expect([(await bed.call('reviews', '/a')).body, (await bed.call('reviews', '/b')).body]).toEqual([
      'canary',
      'canary',
    ]);
    expect((await bed.call('reviews', '/c')).status).toBe(404);
  });
});

describe('annotations of a Service that are read together', () => {
  it('one that cannot be read, and none of its group counts', async () => {
    await bed.apply(service('sick', '{ retry.linkerd.io/http: 5xx, retry.linkerd.io/limit: "2" }'));
    await bed.call('sick');
    expect(tries).toBe(3);
    tries = 0;
    await bed.apply(service('sick', '{ retry.linkerd.io/http: 5xx, retry.linkerd.io/limit: two }'));
    await bed.call('sick');
    expect(tries).toBe(1);
  });

  it('conditions of gRPC count where a GRPCRoute is about it', async () => {
    const annotations = '{ retry.linkerd.io/grpc: unavailable }';
    const retries = async () => {
      const hosts = (await configOf('web')).outbound.virtualHosts;
      const action = hosts.find(({ name }) => name === 'sick')?.routes[0]?.action;
      return action?.kind === 'forward' ? action.retry?.retryOn : undefined;
    };
    await bed.apply(service('sick', annotations));
    expect(await retries()).toBeUndefined();
    await bed.apply(service('sick', annotations), route('sick', `{ ${backend('sick')} }`, '{}', 'GRPCRoute'));
    expect(await retries()).toEqual(['unavailable', 'try-timeout']);
  });
});

describe('ports that are not looked into', () => {
  const OPAQUE = 'config.linkerd.io/opaque-ports';
  const namespace = `apiVersion: v1\nkind: Namespace\nmetadata: { name: default, annotations: { ${OPAQUE}: "9080" } }`;
  const pods = (ports: string) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: reviews }
spec: { selector: { matchLabels: { app: reviews } }, template: { metadata: { labels: { app: reviews }, annotations: { ${OPAQUE}: "${ports}" } }, spec: { containers: [ { name: c } ] } } }`;
  const spoken = async (workload = 'reviews') =>
    (await configOf(workload)).inbound.ports.map(({ protocol }) => protocol);
  const called = async () =>
    (await configOf('web')).outbound.clusters.find(({ service: name }) => name === 'reviews')?.protocol;

  it('of pods: their sidecar hands connections on, whatever callers make of them', async () => {
    expect(await bed.apply(pods('9080'))).toEqual([]);
    expect(await spoken()).toEqual(['tcp']);
    expect((await bed.call('reviews', '/x')).body).toBe('reviews /x');
  });

  it('of a namespace, unless pods or Services say something themselves', async () => {
    expect(await bed.apply(namespace, service('reviews', '{}'))).toEqual([]);
    expect([await spoken(), await called()]).toEqual([['tcp'], 'tcp']);
    expect((await bed.call('reviews', '/x')).body).toBe('reviews /x');
    await bed.apply(pods(''), service('reviews', `{ ${OPAQUE}: "" }`));
    expect([await spoken(), await called()]).toEqual([['auto'], 'auto']);
  });

  it('a Service that says which are opaque has no others by their numbers', async () => {
    const mysql = (annotations: string) =>
      document(
        'v1',
        'Service',
        'db',
        annotations,
        '{ selector: { app: reviews }, ports: [ { port: 3306, targetPort: 9080 } ] }',
      );
    const protocol = async () =>
      (await configOf('web')).outbound.clusters.find(({ service: name }) => name === 'db')?.protocol;
    await bed.apply(mysql('{}'));
    expect(await protocol()).toBe('tcp');
    await bed.apply(mysql(`{ ${OPAQUE}: "" }`));
    expect(await protocol()).toBe('auto');
  });
});
