import { expect } from 'vitest';
import type { StatusCondition } from '../../../../src/model/resource-status.js';
import { type ConformanceCase, prefix, route, rows, rule, shares, V1, V2 } from '../case.js';
import { type Fixture, MESH } from '../fixture.js';

const GATEWAY = { profile: 'GATEWAY-HTTP' } as const;

/** A condition of a route at its first parent. */
export async function conditionOf(
  mesh: Fixture,
  type: string,
  kind = 'HTTPRoute',
): Promise<StatusCondition | undefined> {
  const { status } = await mesh.resource(kind, 'r');
  return status?.parents?.[0]?.conditions.find((one) => one.type === type);
}

const HEADLESS = `apiVersion: v1
kind: Service
metadata: { name: headless, namespace: ${MESH} }
spec: { clusterIP: None, selector: { app: echo, version: v2 }, ports: [ { name: http, port: 8080, targetPort: 8080 } ] }
---
`;

/** Where requests end: backends that are, and those that are not. */
export const BACKEND_CASES: readonly ConformanceCase[] = [
  {
    ...GATEWAY,
    name: 'HTTPRouteNoBackendRefs',
    behaviours: ['B-014'],
    features: [],
    yaml: route([
      `{ matches: [ { ${prefix('/none')} } ] }`,
      `{ matches: [ { ${prefix('/empty')} } ], backendRefs: [] }`,
    ]),
    check: rows({ path: '/none', status: 500 }, { path: '/empty', status: 500 }),
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteInvalidNonExistentBackendRef',
    behaviours: ['B-015'],
    features: [],
    yaml: route([rule(`{ ${prefix('/')} }`, '{ name: nonexistent, port: 8080 }')]),
    check: async (mesh) => {
      await rows({ status: 500 })(mesh);
      expect(await conditionOf(mesh, 'Accepted')).toMatchObject({ status: 'True', reason: 'Accepted' });
      expect(await conditionOf(mesh, 'ResolvedRefs')).toMatchObject({ status: 'False', reason: 'BackendNotFound' });
    },
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteInvalidBackendRefUnknownKind',
    behaviours: ['B-015'],
    features: [],
    yaml: route([
      rule(`{ ${prefix('/all')} }`, '{ group: unknownkind.example.com, kind: NonExistent, name: echo-v1, port: 8080 }'),
      rule(
        `{ ${prefix('/half')} }`,
        `${V1}, { group: unknownkind.example.com, kind: NonExistent, name: echo-v1, port: 8080 }`,
      ),
    ]),
    check: async (mesh) => {
      await rows({ path: '/all', status: 500 })(mesh);
      await shares({ path: '/half' }, { 'echo-v1': 50, 500: 50 })(mesh);
      expect(await conditionOf(mesh, 'ResolvedRefs')).toMatchObject({ status: 'False', reason: 'InvalidKind' });
    },
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteServiceTypes',
    features: [],
    yaml: HEADLESS + route([rule(`{ ${prefix('/headless')} }`, '{ name: headless, port: 8080 }')]),
    check: rows({ path: '/headless', by: 'echo-v2' }),
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteWeight',
    features: [],
    yaml: route([
      '{ backendRefs: [ { name: echo-v1, port: 8080, weight: 70 }, { name: echo-v2, port: 8080, weight: 30 }, { name: infra-v3, port: 8080, weight: 0 } ] }',
    ]),
    check: shares({}, { 'echo-v1': 70, 'echo-v2': 30, 'infra-v3': 0 }),
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteObservedGenerationBump',
    features: [],
    yaml: route([rule(`{ ${prefix('/')} }`, V1)]),
    check: async (mesh) => {
      expect(await conditionOf(mesh, 'Accepted')).toMatchObject({ status: 'True', observedGeneration: 1 });
      await rows({ by: 'echo-v1' })(mesh);
      expect(await mesh.apply(route([rule(`{ ${prefix('/')} }`, V2)]))).toEqual([]);
      expect(await conditionOf(mesh, 'Accepted')).toMatchObject({ status: 'True', observedGeneration: 2 });
      expect(await conditionOf(mesh, 'ResolvedRefs')).toMatchObject({ status: 'True', observedGeneration: 2 });
      await rows({ by: 'echo-v2' })(mesh);
      // The same once more, with a remark, is no other spec.
      expect(await mesh.apply(`# as before\n${route([rule(`{ ${prefix('/')} }`, V2)])}`)).toEqual([]);
      expect(await conditionOf(mesh, 'Accepted')).toMatchObject({ observedGeneration: 2 });
    },
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteBackendProtocolWebSocket',
    behaviours: ['B-029'],
    features: ['HTTPRouteBackendProtocolWebSocket'],
    yaml: route([rule(`{ ${prefix('/ws')} }`, V1)]),
    check: async (mesh) => expect(await mesh.upgraded('/ws', 'hello')).toBe('hello'),
  },
  {
    ...GATEWAY,
    name: 'TCPRouteWeightedRouting',
    features: ['TCPRoute'],
    yaml: '',
    check: null,
    unsupported: 'TCPRoutes are not read: connections of other protocols go to the Service that was called',
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteBackendProtocolH2C',
    behaviours: ['B-029'],
    features: ['HTTPRouteBackendProtocolH2C'],
    yaml: '',
    check: null,
    unsupported: 'sidecars speak HTTP/1.1 to apps',
  },
];
