import { type Kind, kindOf } from '../resource.js';
import { backendTlsPolicy } from './backend-tls.js';
import { backendTrafficPolicy } from './backend-traffic.js';
import { grpcRoute } from './grpc-route.js';
import { httpRoute } from './http-route.js';
import { gateway, gatewayClass, referenceGrant } from './others.js';
import { checkBackendTlsPolicy, checkBackendTrafficPolicy, checkGateway } from './validate-others.js';
import { checkGrpcRoute, checkHttpRoute } from './validate-routes.js';
import { GROUP } from './words.js';

const GATEWAY_API = {
  dialect: 'gateway-api',
  group: GROUP,
  versions: ['v1', 'v1beta1', 'v1alpha2'],
  body: 'spec',
} as const;

/** Kinds of the Gateway API that are read. */
export const GATEWAY_API_KINDS: readonly Kind[] = [
  kindOf({ ...GATEWAY_API, kind: 'HTTPRoute', spec: httpRoute, check: checkHttpRoute }),
  kindOf({ ...GATEWAY_API, versions: ['v1', 'v1alpha2'], kind: 'GRPCRoute', spec: grpcRoute, check: checkGrpcRoute }),
  kindOf({ ...GATEWAY_API, kind: 'Gateway', spec: gateway, check: checkGateway }),
  kindOf({ ...GATEWAY_API, kind: 'GatewayClass', spec: gatewayClass }),
  kindOf({ ...GATEWAY_API, kind: 'ReferenceGrant', spec: referenceGrant }),
  kindOf({
    ...GATEWAY_API,
    versions: ['v1', 'v1alpha3'],
    kind: 'BackendTLSPolicy',
    spec: backendTlsPolicy,
    check: checkBackendTlsPolicy,
  }),
  kindOf({
    ...GATEWAY_API,
    group: 'gateway.networking.x-k8s.io',
    versions: ['v1alpha1'],
    kind: 'XBackendTrafficPolicy',
    spec: backendTrafficPolicy,
    check: checkBackendTrafficPolicy,
  }),
];
