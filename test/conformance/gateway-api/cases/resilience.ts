import { expect } from 'vitest';
import { type ConformanceCase, prefix, route, rows, rule, V1 } from '../case.js';
import { seen } from '../echo.js';
import { type Fixture, MESH } from '../fixture.js';

const GATEWAY = { profile: 'GATEWAY-HTTP' } as const;

let count = 0;

/** A request that fails so many times before it succeeds, in one of several ways. */
async function failing(mesh: Fixture, path: string, how: string, succeedAfter: number): Promise<number> {
  const uuid = `case-${count++}`;
  return (await mesh.ask({ path: `${path}?${how}&succeedAfter=${succeedAfter}&uuid=${uuid}` })).status;
}

const times = (said: string): string =>
  route([
    rule(`{ ${prefix('/timed')} }`, V1, `timeouts: { ${said} }`),
    rule(`{ ${prefix('/free')} }`, V1, 'timeouts: { request: 0s }'),
  ]);
const TIMED = rows(
  { path: '/timed', status: 200 },
  { path: '/timed?delay=700', status: 504 },
  { path: '/free?delay=300', status: 200 },
);

/** Times and tries. */
export const RESILIENCE_CASES: readonly ConformanceCase[] = [
  {
    ...GATEWAY,
    name: 'HTTPRouteTimeoutRequest',
    behaviours: ['B-024'],
    features: ['HTTPRouteRequestTimeout'],
    yaml: times('request: 200ms'),
    check: TIMED,
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteTimeoutBackendRequest',
    behaviours: ['B-024'],
    features: ['HTTPRouteBackendTimeout'],
    yaml: times('backendRequest: 200ms'),
    check: TIMED,
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteRetry',
    behaviours: ['B-025'],
    features: ['HTTPRouteRetry'],
    yaml: route([
      rule(`{ ${prefix('/500')} }`, V1, 'retry: { codes: [ 500 ], attempts: 3, backoff: 1ms }'),
      rule(`{ ${prefix('/many')} }`, V1, 'retry: { codes: [ 500, 502, 503, 504 ], attempts: 2, backoff: 1ms }'),
    ]),
    check: async (mesh) => {
      expect(await failing(mesh, '/500', 'responseCode=500', 2)).toBe(200);
      expect(await failing(mesh, '/500', 'responseCode=500', 4)).toBe(500);
      expect(await failing(mesh, '/500', 'responseCode=503', 1)).toBe(503);
      for (const code of [500, 502, 503, 504]) {
        expect(await failing(mesh, '/many', `responseCode=${code}`, 1)).toBe(200);
        expect(await failing(mesh, '/many', `responseCode=${code}`, 3)).toBe(code);
      }
    },
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteRetryConnectionError',
    behaviours: ['B-026'],
    features: ['HTTPRouteRetryConnectionError'],
    yaml: route([rule(`{ ${prefix('/')} }`, V1, 'retry: { attempts: 3, backoff: 1ms }')]),
    check: async (mesh) => expect(await failing(mesh, '/', 'reset=1', 2)).toBe(200),
    unsupported: 'as with Istio failed connects are retried, and a reset is not: the app may have begun',
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteRetryWithTimeouts',
    features: ['HTTPRouteRetryBackendTimeout'],
    yaml: route([
      rule(
        `{ ${prefix('/')} }`,
        V1,
        'retry: { codes: [ 504 ], attempts: 2, backoff: 1ms }, timeouts: { request: 2s, backendRequest: 150ms }',
      ),
    ]),
    check: async (mesh) => expect(await failing(mesh, '/', 'delay=500', 1)).toBe(200),
    unsupported: 'as with Istio a try that ran into backendRequest is not made again',
  },
  {
    ...GATEWAY,
    name: 'BackendTrafficPolicyRetryConstraint',
    behaviours: ['B-031'],
    features: ['XBackendTrafficPolicy'],
    yaml: `${route([rule(`{ ${prefix('/')} }`, V1, 'retry: { codes: [ 500 ], attempts: 3, backoff: 1ms }')])}---
apiVersion: gateway.networking.x-k8s.io/v1alpha1
kind: XBackendTrafficPolicy
metadata: { name: budget, namespace: ${MESH} }
spec:
  targetRefs: [ { group: "", kind: Service, name: echo-v1 } ]
  retryConstraint: { budget: { percent: 20, interval: 10s }, minRetryRate: { count: 1, interval: 1s } }
`,
    check: async (mesh) => {
      const before = seen.length;
      for (let i = 0; i < 200; i++) expect((await mesh.ask({ path: '/?responseCode=500' })).status).toBe(500);
      // 20 % of 200 requests, and one a second of ten seconds, on top of them; some, since it is a budget and no ban.
      const retries = seen.length - before - 200;
      expect(retries).toBeLessThanOrEqual(50);
      expect(retries).toBeGreaterThan(10);
    },
  },
];
