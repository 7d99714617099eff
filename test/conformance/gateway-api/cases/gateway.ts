import { expect } from 'vitest';
import { type ConformanceCase, rows } from '../case.js';
import { CONSUMER, type Fixture, MESH } from '../fixture.js';

const GATEWAY = { profile: 'GATEWAY-HTTP' } as const;

const gateway = (listeners: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw, namespace: ${MESH} }
spec: { gatewayClassName: istio, listeners: [ ${listeners} ] }
---
`;

interface Bound {
  readonly name?: string;
  readonly namespace?: string;
  readonly hostnames?: string;
  readonly backend: string;
  readonly section?: string;
}

const bound = ({
  name = 'r',
  namespace = MESH,
  hostnames = '',
  backend,
  section,
}: Bound): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  parentRefs: [ { name: gw, namespace: ${MESH}${section === undefined ? '' : `, sectionName: ${section}`} } ]
  hostnames: [ ${hostnames} ]
  rules: [ { backendRefs: [ { name: ${backend}, namespace: ${MESH}, port: 8080 } ] } ]
---
`;

const GRANT = `apiVersion: gateway.networking.k8s.io/v1beta1
kind: ReferenceGrant
metadata: { name: grant, namespace: ${MESH} }
spec:
  from: [ { group: gateway.networking.k8s.io, kind: HTTPRoute, namespace: ${CONSUMER} } ]
  to: [ { group: "", kind: Service, name: echo-v1 } ]
---
`;

const OPEN = '{ name: http, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: All } } }';

async function conditions(mesh: Fixture, name: string): Promise<string[]> {
  const { status } = await mesh.resource('HTTPRoute', name);
  return (status?.parents?.[0]?.conditions ?? []).map(
    ({ type, status: value, reason }) => `${type}=${value} ${reason}`,
  );
}

/** Routes of a Gateway, which is the sandbox's own. */
export const GATEWAY_CASES: readonly ConformanceCase[] = [
  {
    ...GATEWAY,
    name: 'HTTPRouteHostnameIntersection',
    features: ['Gateway'],
    yaml:
      gateway(
        '{ name: one, hostname: very.specific.com, port: 80, protocol: HTTP }, { name: two, hostname: "*.wildcard.io", port: 80, protocol: HTTP }',
      ) +
      bound({ hostnames: 'very.specific.com, non.matching.com', backend: 'echo-v1' }) +
      bound({ name: 'wild', hostnames: 'foo.wildcard.io, "*.bar.wildcard.io"', backend: 'echo-v2' }) +
      bound({ name: 'none', hostnames: 'other.example.com', backend: 'echo-v2' }),
    check: async (mesh) => {
      const from = (host: string) => ({ to: 'gateway', host });
      await rows(
        { ...from('very.specific.com'), by: 'echo-v1' },
        { ...from('foo.wildcard.io'), by: 'echo-v2' },
        { ...from('a.bar.wildcard.io'), by: 'echo-v2' },
        ...['non.matching.com', 'specific.com', 'wildcard.io', 'other.example.com'].map((host) => ({
          ...from(host),
          status: 404,
        })),
      )(mesh);
      expect(await conditions(mesh, 'none')).toEqual([
        'Accepted=False NoMatchingListenerHostname',
        'ResolvedRefs=True ResolvedRefs',
      ]);
      const { status } = await mesh.resource('Gateway', 'gw');
      expect(status?.listeners?.map(({ name, attachedRoutes }) => [name, attachedRoutes])).toEqual([
        ['one', 1],
        ['two', 1],
      ]);
      expect(status?.conditions?.map(({ type, status: value }) => `${type}=${value}`)).toEqual([
        'Accepted=True',
        'Programmed=True',
      ]);
    },
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteCrossNamespace',
    features: ['Gateway'],
    yaml: gateway(OPEN) + GRANT + bound({ namespace: CONSUMER, backend: 'echo-v1' }),
    check: rows({ to: 'gateway', by: 'echo-v1' }),
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteInvalidCrossNamespaceParentRef',
    features: ['Gateway'],
    yaml: gateway('{ name: http, port: 80, protocol: HTTP }') + bound({ namespace: CONSUMER, backend: 'echo-v1' }),
    check: async (mesh) => {
      await rows({ to: 'gateway', status: 404 })(mesh);
      expect((await conditions(mesh, 'r'))[0]).toBe('Accepted=False NotAllowedByListeners');
    },
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteInvalidParentRefSectionNameNotMatching',
    features: ['Gateway'],
    yaml: gateway(OPEN) + bound({ backend: 'echo-v1', section: 'wrong' }),
    check: async (mesh) => {
      await rows({ to: 'gateway', status: 404 })(mesh);
      expect((await conditions(mesh, 'r'))[0]).toBe('Accepted=False NoMatchingParent');
    },
  },
  {
    ...GATEWAY,
    name: 'HTTPRouteReferenceGrant',
    features: ['ReferenceGrant'],
    yaml: gateway(OPEN) + GRANT + bound({ namespace: CONSUMER, backend: 'echo-v2' }),
    check: async (mesh) => {
      // The grant is for echo-v1 alone.
      await rows({ to: 'gateway', status: 500 })(mesh);
      expect((await conditions(mesh, 'r'))[1]).toBe('ResolvedRefs=False RefNotPermitted');
    },
  },
];
