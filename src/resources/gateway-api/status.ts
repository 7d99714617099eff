import { condition, type ResourceStatus } from '../../model/resource-status.js';
import type { Resource } from '../resource.js';
import { ofGrpc, ofHttp } from './any-route.js';
import type { BackendTlsPolicy } from './backend-tls.js';
import { ancestorStatuses } from './backend-tls-status.js';
import type { Surroundings } from './backends.js';
import { gatewayStatus } from './gateway-status.js';
import type { GrpcRoute } from './grpc-route.js';
import type { HttpRoute } from './http-route.js';
import type { Gateway } from './others.js';
import { parentStatuses } from './route-status.js';

/** What became of a resource of the Gateway API beside all others; null = its kind has no status. */
export function statusOf(resource: Resource, around: Surroundings): ResourceStatus | null {
  if (resource.dialect !== 'gateway-api' && !(resource.dialect === 'linkerd' && resource.kind === 'HTTPRoute'))
    return null;
  switch (resource.kind) {
    case 'HTTPRoute':
      return { parents: parentStatuses(ofHttp(resource as Resource<HttpRoute>), around) };
    case 'GRPCRoute':
      return { parents: parentStatuses(ofGrpc(resource as Resource<GrpcRoute>), around) };
    case 'Gateway':
      return gatewayStatus(resource as Resource<Gateway>, around);
    case 'BackendTLSPolicy':
      return around.flavor === 'istio'
        ? { ancestors: ancestorStatuses(resource as Resource<BackendTlsPolicy>, around) }
        : null;
    case 'GatewayClass':
      return { conditions: [condition('Accepted', null, resource.generation)] };
    default:
      return null;
  }
}
