import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { SidecarConfig } from '../../../src/model/sidecar-config.js';
import { document, httpRoute, type LinkerdBed, linkerdBed, service } from './bed.js';

let bed: LinkerdBed;

beforeAll(async () => {
  bed = await linkerdBed({
    reviews: (_, response) => response.end('reviews'),
    canary: (_, response) => response.end('canary'),
  });
});
afterEach(() => bed.reset());
afterAll(() => bed.close());

const exact = (path: string, backend: string): string =>
  `{ matches: [ { path: { type: Exact, value: ${path} } } ], backendRefs: [ { name: ${backend}, port: 9080 } ] }`;

describe('HTTPRoutes of a Service', () => {
  it.each(['policy.linkerd.io/v1beta3', 'policy.linkerd.io/v1alpha1', 'gateway.networking.k8s.io/v1'])(
    'B-120: a missing backend is 500 and a request that no rule meets 404 (%s)',
    async (apiVersion) => {
      const parent = '{ group: core, kind: Service, name: reviews, port: 9080 }';
      const rules = `[ ${exact('/valid', 'canary')}, ${exact('/invalid', 'nobody')} ]`;
      await bed.apply(document(apiVersion, 'HTTPRoute', 'r', '{}', `{ parentRefs: [ ${parent} ], rules: ${rules} }`));
      expect(await bed.call('reviews', '/valid')).toMatchObject({ status: 200, body: 'canary' });
      expect((await bed.call('reviews', '/invalid')).status).toBe(500);
      expect((await bed.call('reviews', '/notfound')).status).toBe(404);
    },
  );

  it('split what comes by weight', async () => {
    const backends = '[ { name: reviews, port: 9080, weight: 3 }, { name: canary, port: 9080, weight: 1 } ]';
    await bed.apply(httpRoute('split', 'reviews', `[ { backendRefs: ${backends} } ]`));
    let canary = 0;
    for (let n = 0; n < 200; n++) if ((await bed.call('reviews')).body === 'canary') canary++;
    expect(canary).toBeGreaterThan(25);
    expect(canary).toBeLessThan(75);
  });

  it('of another Service take nothing away from this one', async () => {
    await bed.apply(httpRoute('canary', 'canary', `[ ${exact('/only', 'canary')} ]`));
    expect((await bed.call('reviews', '/any')).body).toBe('reviews');
  });
});

describe('B-133: what a port speaks', () => {
  const port = (appProtocol: string): string =>
    document(
      'v1',
      'Service',
      'reviews',
      '{}',
      `{ selector: { app: reviews }, ports: [ { port: 9080, appProtocol: ${appProtocol} } ] }`,
    );
  const protocolOf = async (): Promise<string | undefined> => {
    const { configs } = await bed.mesh.client.call('snapshot', {});
    const web = configs['web'] as SidecarConfig | undefined;
    return web?.outbound.clusters.find(({ service: name }) => name === 'reviews')?.protocol;
  };

  it.each([
    ['http', 'http'],
    ['kubernetes.io/h2c', 'http'],
    ['linkerd.io/opaque', 'tcp'],
    ['linkerd.io/tcp', 'tcp'],
    ['something.else', 'tcp'],
  ])('appProtocol %s is %s', async (appProtocol, protocol) => {
    await bed.apply(port(appProtocol));
    expect(await protocolOf()).toBe(protocol);
  });

  it.each([
    ['9080', 'tcp'],
    ['3306,9000-9100', 'tcp'],
    ['3306', 'auto'],
  ])('config.linkerd.io/opaque-ports %s makes it %s', async (ports, protocol) => {
    await bed.apply(service('reviews', `{ config.linkerd.io/opaque-ports: "${ports}" }`));
    expect(await protocolOf()).toBe(protocol);
  });
});
