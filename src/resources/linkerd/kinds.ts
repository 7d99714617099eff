import { httpRoute } from '../gateway-api/http-route.js';
import { type Kind, kindOf } from '../resource.js';
import { meshTlsAuthentication, networkAuthentication } from './authentications.js';
import { linkerdAuthorizationPolicy, serverAuthorization } from './authorization-policy.js';
import { egressNetwork } from './egress-network.js';
import { checkLinkerdHttpRoute } from './http-route.js';
import { checkServiceProfile } from './profile-routes.js';
import { httpLocalRateLimitPolicy } from './rate-limit-policy.js';
import { server } from './server.js';
import { serviceProfile } from './service-profile.js';
import {
  checkMeshTls,
  checkNetwork,
  checkPolicy,
  checkRateLimit,
  checkServer,
  checkServerAuthorization,
} from './validate.js';
import { POLICY_GROUP } from './words.js';

const POLICY = { dialect: 'linkerd', group: POLICY_GROUP, versions: ['v1alpha1'], body: 'spec' } as const;
const BETA = ['v1beta3', 'v1beta2', 'v1beta1'] as const;

/** Kinds of Linkerd that are read. */
export const LINKERD_KINDS: readonly Kind[] = [
  kindOf({ ...POLICY, versions: [...BETA, 'v1alpha1'], kind: 'Server', spec: server, check: checkServer }),
  kindOf({
    ...POLICY,
    versions: [...BETA, 'v1alpha1'],
    kind: 'HTTPRoute',
    spec: httpRoute,
    check: checkLinkerdHttpRoute,
  }),
  kindOf({ ...POLICY, kind: 'AuthorizationPolicy', spec: linkerdAuthorizationPolicy, check: checkPolicy }),
  kindOf({
    ...POLICY,
    versions: ['v1beta1', 'v1alpha1'],
    kind: 'ServerAuthorization',
    spec: serverAuthorization,
    check: checkServerAuthorization,
  }),
  kindOf({ ...POLICY, kind: 'MeshTLSAuthentication', spec: meshTlsAuthentication, check: checkMeshTls }),
  kindOf({ ...POLICY, kind: 'NetworkAuthentication', spec: networkAuthentication, check: checkNetwork }),
  kindOf({ ...POLICY, kind: 'HTTPLocalRateLimitPolicy', spec: httpLocalRateLimitPolicy, check: checkRateLimit }),
  kindOf({ ...POLICY, kind: 'EgressNetwork', spec: egressNetwork }),
  kindOf({
    dialect: 'linkerd',
    group: 'linkerd.io',
    versions: ['v1alpha2', 'v1alpha1'],
    body: 'spec',
    kind: 'ServiceProfile',
    spec: serviceProfile,
    check: checkServiceProfile,
  }),
];
