import { describe, expect, it } from 'vitest';
import { readApp } from '../../src/compose/read-app.js';
import { resolveSource } from '../../src/compose/samples.js';

const root = new URL('../..', import.meta.url).pathname;

describe('compose/bookinfo.yaml', () => {
  const result = readApp({ ...resolveSource(null, root, root), environment: {} });
  if (!result.ok) throw new Error(JSON.stringify(result.problems));
  const { app } = result;

  it('is four services of six workloads, all on 9080, without a warning', () => {
    expect(app.name).toBe('bookinfo');
    expect(app.warnings).toEqual([]);
    expect(app.services.map(({ name }) => name)).toEqual(['productpage', 'details', 'reviews', 'ratings']);
    for (const { ports } of [...app.services, ...app.workloads])
      expect(ports).toMatchObject([{ port: 9080, protocol: 'http' }]);
    expect(app.workloads.map(({ name, app, version }) => `${name} ${app} ${version}`)).toEqual([
      'productpage-v1 productpage v1',
      'details-v1 details v1',
      'reviews-v1 reviews v1',
      'reviews-v2 reviews v2',
      'reviews-v3 reviews v3',
      'ratings-v1 ratings v1',
    ]);
  });

  it("has Istio's service accounts", () => {
    for (const { app: name, serviceAccount } of app.workloads) expect(serviceAccount).toBe(`bookinfo-${name}`);
  });

  it('runs the bundled samples', () => {
    for (const { app: name, image, command } of app.workloads) {
      expect(image).toBe('mesh-sandbox:local');
      expect(command).toEqual(['node', '/opt/mesh-sandbox/samples.cjs', name]);
    }
  });

  it('enters at productpage, generates load, and lets ratings be retried', () => {
    expect(app.gateway).toEqual({ service: 'productpage', port: 9080 });
    expect(app.load).toEqual({ rps: 5, paths: ['/productpage'] });
    expect(app.settings).toEqual({
      ratings: {
        retries: { attempts: 2, retryOn: ['5xx', 'connect-failure', 'refused-stream'], perTryTimeoutMs: null },
        timeoutMs: null,
        traffic: {},
        routes: [],
        precedence: 'first',
        rateLimits: [],
      },
    });
  });
});
