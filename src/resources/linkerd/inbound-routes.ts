import { bySpecificity } from '../../model/precedence.js';
import type { RouteMatch } from '../../model/route.js';
import { type AnyRoute, anyRoutesOf } from '../gateway-api/any-route.js';
import { parentOf } from '../gateway-api/references.js';
import type { Resource } from '../resource.js';

/** A match of a route at a Server, in the order in which they are asked. */
export interface InboundRoute {
  readonly of: AnyRoute;
  readonly route: { readonly match: RouteMatch };
}

/** What the routes attached to a Server match, the most specific first. */
export function inboundRoutesOf({ namespace, name }: Resource, resources: readonly Resource[]): InboundRoute[] {
  const attached = anyRoutesOf(resources).filter(
    (route) => route.resource.namespace === namespace && serversOf(route).includes(name),
  );
  return bySpecificity(
    attached.flatMap((of) => of.rules.flatMap(({ matches }) => matches.map(({ match }) => ({ of, route: { match } })))),
  );
}

/** Names of the Servers that a route is attached to. */
export function serversOf({ resource, parentRefs }: AnyRoute): string[] {
  return parentRefs.flatMap((ref) => {
    const parent = parentOf(ref, resource.namespace);
    // One that names a port as well binds to none.
    const binds = parent.kind === 'server' && ref.port === undefined && ref.sectionName === undefined;
    return binds ? [parent.name] : [];
  });
}
