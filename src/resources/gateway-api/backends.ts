import type { ServiceSpec } from '../../model/app.js';
import type { FlavorName } from '../../model/flavor.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import type { Resource } from '../resource.js';
import type { AnyRoute } from './any-route.js';
import { backendHost, isGranted, type ObjectReference } from './references.js';

/** What routes are judged by: all resources, and the services that there are. */
export interface Surroundings {
  readonly resources: readonly Resource[];
  /** Which mesh obeys them. */
  readonly flavor: FlavorName;
  serviceOf(host: string): ServiceSpec | null;
}

/** A backend that leads nowhere, in the Gateway API's words. */
export interface BadReference {
  readonly reason: 'InvalidKind' | 'BackendNotFound' | 'RefNotPermitted';
  readonly source: SourceRef;
  readonly message: string;
  /** It gets a share of the requests, or copies of them. */
  readonly use: 'backend' | 'mirror';
  readonly name: string;
}

/** Backends and mirrors of a route that cannot be resolved. `grants` = other namespaces must grant it (Gateways). */
export function badReferences(route: AnyRoute, around: Surroundings, grants: boolean): BadReference[] {
  return route.rules.flatMap(({ spec: { backendRefs = [], filters = [] } }) => [
    ...backendRefs.flatMap((ref) => judged(ref, 'backend', { route, around, grants })),
    ...filters.flatMap(({ requestMirror }) =>
      requestMirror === undefined ? [] : judged(requestMirror.backendRef, 'mirror', { route, around, grants }),
    ),
  ]);
}

interface Judgement {
  readonly route: AnyRoute;
  readonly around: Surroundings;
  readonly grants: boolean;
}

function judged(ref: ObjectReference, use: BadReference['use'], { route, around, grants }: Judgement): BadReference[] {
  const { resource } = route;
  const bad = (reason: BadReference['reason'], field: string, message: string): BadReference[] => [
    { reason, source: sourceOf(ref, field), message, use, name: ref.name },
  ];
  const host = backendHost(ref, resource.namespace);
  // Routes to it were told as a whole (Linkerd).
  if (ref.kind === 'EgressNetwork') return [];
  if (host === null)
    return bad(
      'InvalidKind',
      'kind',
      `the ${use} ${ref.name} is of the kind ${ref.kind}, which answers no requests here`,
    );
  if (grants && !isGranted(ref, resource, around.resources))
    return bad(
      'RefNotPermitted',
      'namespace',
      `no ReferenceGrant in ${ref.namespace} lets a ${resource.kind} of ${resource.namespace} lead to the Service ${ref.name}`,
    );
  const service = around.serviceOf(host);
  if (service === null) return bad('BackendNotFound', 'name', `the ${use} ${host} is not found`);
  if (ref.port !== undefined && !service.ports.some(({ port }) => port === ref.port))
    return bad(
      'BackendNotFound',
      'port',
      `the ${use} ${ref.name} has no port ${ref.port}; it has: ${service.ports.map(({ port }) => port).join(', ')}`,
    );
  return [];
}
