import { describe, expect, it } from 'vitest';
import type { StatusCondition } from '../../../src/model/resource-status.js';
import { worldOf } from '../../../src/resources/analysis/world.js';
import { statusOf } from '../../../src/resources/gateway-api/status.js';
import { readResources } from '../../../src/resources/read.js';
import { appOf, workload } from '../../support/apps.js';

const APP = appOf([workload('reviews-v1'), workload('ratings-v1')]);

/** What became of a resource of the given documents. */
function statusIn(name: string, ...documents: string[]) {
  const { resources } = readResources([{ name: 'r.yaml', text: documents.join('\n---\n') }], 0);
  const resource = resources.find((one) => one.name === name);
  if (resource === undefined) throw new Error(`there is no ${name}`);
  return statusOf(resource, worldOf(resources, APP));
}

const words = (conditions: readonly StatusCondition[] = []): string[] =>
  conditions.map(({ type, status, reason }) => `${type}=${status} ${reason}`);

const gateway = (listeners: string, more = ''): string =>
  `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: { name: gw }
spec: { gatewayClassName: istio, listeners: [ ${listeners} ]${more} }`;
const route = (parent: string, rule = '{ backendRefs: [ { name: ratings, port: 9080 } ] }', more = ''): string =>
  `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r${more} }
spec: { parentRefs: [ ${parent} ], rules: [ ${rule} ] }`;
const SERVICE = '{ group: "", kind: Service, name: reviews }';

const ofRoute = (...documents: string[]): string[][] =>
  (statusIn('r', ...documents)?.parents ?? []).map(({ conditions }) => words(conditions));

describe('what became of a route at each of its parents', () => {
  it('is told parent by parent, and nothing of parents that are none of ours', () => {
    const other = '{ group: other.example.com, kind: Thing, name: t }';
    expect(
      statusIn('r', route(`${SERVICE}, { group: "", kind: Service, name: nosuch, port: 80 }, ${other}`))?.parents,
    ).toMatchObject([
      { parentRef: { group: '', kind: 'Service', namespace: 'default', name: 'reviews' } },
      {
        parentRef: { name: 'nosuch', port: 80 },
        conditions: [{ type: 'Accepted', status: 'False', reason: 'NoMatchingParent' }, {}],
      },
    ]);
  });

  it('UnsupportedValue where it is dropped as a whole, PartiallyInvalid where a part is not obeyed', () => {
    const dropped = '{ filters: [ { type: ExtensionRef, extensionRef: { group: a.b, kind: C, name: d } } ] }';
    expect(ofRoute(route(SERVICE, dropped))).toEqual([
      ['Accepted=False UnsupportedValue', 'ResolvedRefs=True ResolvedRefs'],
    ]);
    const sticky = '{ sessionPersistence: { sessionName: s }, backendRefs: [ { name: ratings, port: 9080 } ] }';
    expect(ofRoute(route(SERVICE, sticky))).toEqual([
      ['Accepted=True Accepted', 'ResolvedRefs=True ResolvedRefs', 'PartiallyInvalid=True UnsupportedValue'],
    ]);
  });

  it('a mirror that is not there is a reference that is not resolved', () => {
    const mirror =
      '{ filters: [ { type: RequestMirror, requestMirror: { backendRef: { name: nosuch, port: 1 } } } ], backendRefs: [ { name: ratings, port: 9080 } ] }';
    expect(ofRoute(route(SERVICE, mirror))).toEqual([['Accepted=True Accepted', 'ResolvedRefs=False BackendNotFound']]);
  });

  it('a listener takes routes of the namespaces that its selector chooses', () => {
    const listener =
      '{ name: a, port: 80, protocol: HTTP, allowedRoutes: { namespaces: { from: Selector, selector: { matchLabels: { team: shop } } } } }';
    const space = (team: string): string =>
      `apiVersion: v1\nkind: Namespace\nmetadata: { name: shop, labels: { team: ${team} } }`;
    const bound = route('{ name: gw, namespace: default }', '{}', ', namespace: shop');
    expect(ofRoute(gateway(listener), space('shop'), bound)[0]?.[0]).toBe('Accepted=True Accepted');
    expect(ofRoute(gateway(listener), space('other'), bound)[0]?.[0]).toBe('Accepted=False NotAllowedByListeners');
  });
});

describe('what became of a Gateway', () => {
  it('counts the routes of each listener, and is programmed', () => {
    const status = statusIn(
      'gw',
      gateway('{ name: a, port: 80, protocol: HTTP }, { name: b, port: 81, protocol: HTTP }'),
      route('{ name: gw, sectionName: b }'),
    );
    expect(words(status?.conditions)).toEqual(['Accepted=True Accepted', 'Programmed=True Programmed']);
    expect(status?.listeners?.map(({ name, attachedRoutes }) => `${name} ${attachedRoutes}`)).toEqual(['a 0', 'b 1']);
  });

  it('names listeners that conflict, speak another protocol, or allow kinds that nobody knows', () => {
    const status = statusIn(
      'gw',
      gateway(
        '{ name: a, port: 80, protocol: HTTP }, { name: b, port: 80, protocol: HTTP }, { name: c, port: 90, protocol: TCP }, { name: d, port: 91, protocol: HTTP, allowedRoutes: { kinds: [ { kind: HTTPRoute }, { kind: XRoute } ] } }',
      ),
    );
    expect(words(status?.conditions)).toEqual(['Accepted=True ListenersNotValid', 'Programmed=True Programmed']);
    const [a, b, c, d] = (status?.listeners ?? []).map(({ conditions }) => words(conditions));
    expect(a).toEqual([
      'Accepted=True Accepted',
      'Programmed=True Programmed',
      'ResolvedRefs=True ResolvedRefs',
      'Conflicted=False NoConflicts',
    ]);
    expect(b).toContain('Conflicted=True HostnameConflict');
    expect(c).toContain('Accepted=False UnsupportedProtocol');
    expect(d).toContain('ResolvedRefs=False InvalidRouteKinds');
    expect(status?.listeners?.[3]?.supportedKinds.map(({ kind }) => kind)).toEqual(['HTTPRoute']);
  });

  it('with no listener that is served it is not accepted', () => {
    const status = statusIn('gw', gateway('{ name: c, port: 90, protocol: TCP }'));
    expect(words(status?.conditions)).toEqual(['Accepted=False ListenersNotValid', 'Programmed=False Invalid']);
  });
});
