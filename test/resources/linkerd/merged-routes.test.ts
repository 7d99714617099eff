import { describe, expect, it } from 'vitest';
import { callerOf } from '../../../src/compiler/caller.js';
import { routesInForce } from '../../../src/compiler/route-sets.js';
import type { FlavorName } from '../../../src/model/flavor.js';
import { policiesOf } from '../../../src/resources/policies.js';
import { readResources } from '../../../src/resources/read.js';
import { workload } from '../../support/apps.js';

const route = (
  name: string,
  namespace: string,
  port = '',
  kind = 'HTTPRoute',
) => `apiVersion: gateway.networking.k8s.io/v1
kind: ${kind}
metadata: { name: ${name}, namespace: ${namespace} }
spec: { parentRefs: [ { group: "", kind: Service, name: reviews, namespace: default${port} } ], rules: [ { backendRefs: [ { name: a, port: 80 } ] } ] }
`;

/** Names of the routes that a caller of a namespace meets at a port. */
function met(documents: readonly string[], namespace: string, port: number, flavor: FlavorName = 'linkerd'): string[] {
  const { resources } = readResources([{ name: 'r.yaml', text: documents.join('---\n') }], 1);
  const caller = callerOf(workload('web', { namespace }));
  const inForce = routesInForce(
    'reviews.default.svc.cluster.local',
    port,
    caller,
    policiesOf(resources, flavor).routeSets,
  );
  return (inForce?.rules ?? []).map(({ route: { origin } }) => origin?.object ?? '');
}

describe('routes of one Service in Linkerd', () => {
  const own = route('own', 'default');
  const theirs = route('theirs', 'other');

  it('those of a caller’s namespace hold beside those of the Service’s, and for nobody else', () => {
    expect(met([own, theirs], 'other', 80)).toEqual(['HTTPRoute default/own', 'HTTPRoute other/theirs']);
    expect(met([own, theirs], 'default', 80)).toEqual(['HTTPRoute default/own']);
    // In the Gateway API they take the place of them.
    expect(met([own, theirs], 'other', 80, 'istio')).toEqual(['HTTPRoute other/theirs']);
  });

  it('those with the port hold beside those without one', () => {
    const ported = route('ported', 'default', ', port: 80');
    expect(met([own, ported], 'default', 80)).toEqual(['HTTPRoute default/own', 'HTTPRoute default/ported']);
    expect(met([own, ported], 'default', 81)).toEqual(['HTTPRoute default/own']);
    expect(met([ported], 'default', 81)).toEqual([]);
  });

  it('GRPCRoutes hold alone at their port', () => {
    const grpc = route('grpc', 'default', ', port: 80', 'GRPCRoute');
    expect(met([own, grpc], 'default', 80)).toEqual(['GRPCRoute default/grpc']);
    expect(met([own, grpc], 'default', 81)).toEqual(['HTTPRoute default/own']);
    expect(met([own, route('theirs', 'other', '', 'GRPCRoute')], 'default', 80)).toEqual(['HTTPRoute default/own']);
  });
});
