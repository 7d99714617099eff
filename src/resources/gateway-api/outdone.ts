import { ofKind, type Resource } from '../resource.js';
import { type AnyRoute, ofGrpc } from './any-route.js';
import type { GrpcRoute } from './grpc-route.js';
import type { ParentRef } from './http-route.js';
import { parentOf } from './references.js';

/** The GRPCRoute of the same port of a Service, beside which Linkerd takes no HTTPRoute; null = none. */
export function outdoneBy({ resource }: AnyRoute, ref: ParentRef, resources: readonly Resource[]): Resource | null {
  const parent = parentOf(ref, resource.namespace);
  if (resource.kind === 'GRPCRoute' || parent.kind !== 'service') return null;
  const rival = ofKind<GrpcRoute>(resources, 'gateway-api', 'GRPCRoute')
    .map(ofGrpc)
    .find((other) =>
      other.parentRefs.some((one) => {
        const same = parentOf(one, other.resource.namespace);
        const sameService = same.kind === 'service' && same.name === parent.name && same.namespace === parent.namespace;
        return sameService && (one.port === undefined || one.port === ref.port);
      }),
    );
  return rival?.resource ?? null;
}
