import type { FlavorName } from '../model/flavor.js';
import type { Policies } from '../model/policies.js';
import { consulEgressOf, consulMtlsOf, consulRateLimitsOf, hidesCallers, intentionsOf } from './consul/access.js';
import { consulProtocolsOf } from './consul/protocols.js';
import { consulRouteSetsOf, consulStreamsOf } from './consul/routes.js';
import { consulTokenPoliciesOf } from './consul/tokens.js';
import { consulDestinationsOf } from './consul/traffic.js';
import { withBackendTls } from './gateway-api/backend-tls.js';
import { withRetryBudgets } from './gateway-api/backend-traffic.js';
import { gatewayListenersOf, gatewayRouteSetsOf } from './gateway-api/routes.js';
import { authorizationOf, externalPoliciesOf } from './istio/authorization.js';
import { authorizersOf } from './istio/mesh-config.js';
import { egressPoliciesOf, gatewayPoliciesOf, peerAuthenticationOf } from './istio/others.js';
import { tokenPoliciesOf } from './istio/request-authentication.js';
import { routeSetsOf } from './istio/routes.js';
import { withSelectedEntries } from './istio/selected-entries.js';
import { externalServicesOf } from './istio/service-entry.js';
import { streamRoutesOf } from './istio/streams.js';
import { telemetryPoliciesOf } from './istio/telemetry.js';
import { destinationPoliciesOf } from './istio/traffic.js';
import { servicesOf } from './kubernetes/service.js';
import { portAccessOf } from './linkerd/access.js';
import { egressNetworksOf } from './linkerd/egress-network.js';
import { opaquePortsOf } from './linkerd/opaque-ports.js';
import { profileRouteSetsOf } from './linkerd/profile-routes.js';
import { linkerdRateLimitsOf } from './linkerd/rate-limit-policy.js';
import { annotatedServiceRoutesOf } from './linkerd/service-routes.js';
import { withLinkerdTraffic } from './linkerd/traffic.js';
import type { Resource } from './resource.js';
import { faultsOf } from './sandbox/fault.js';
import { rateLimitsOf } from './sandbox/rate-limit.js';

/** What all resources together say, in the one language that the compiler understands, as a mesh would take them. */
export function policiesOf(resources: readonly Resource[], flavor: FlavorName = 'istio'): Policies {
  return {
    services: [...withSelectedEntries(servicesOf(resources), resources), ...externalServicesOf(resources)],
    routeSets: [
      ...routeSetsOf(resources),
      ...gatewayRouteSetsOf(resources, flavor),
      ...profileRouteSetsOf(resources),
      ...annotatedServiceRoutesOf(resources),
      ...consulRouteSetsOf(resources),
    ],
    streams: [...streamRoutesOf(resources), ...consulStreamsOf(resources)],
    protocols: consulProtocolsOf(resources),
    destinations: [
      ...withLinkerdTraffic(
        withRetryBudgets(withBackendTls(destinationPoliciesOf(resources), resources, flavor), resources),
        resources,
      ),
      ...consulDestinationsOf(resources),
    ],
    egress: [...egressPoliciesOf(resources), ...egressNetworksOf(resources), ...consulEgressOf(resources)],
    gateways: [...gatewayPoliciesOf(resources), ...gatewayListenersOf(resources)],
    peerAuthentication: [...peerAuthenticationOf(resources), ...consulMtlsOf(resources)],
    faults: faultsOf(resources),
    rateLimits: [...rateLimitsOf(resources), ...linkerdRateLimitsOf(resources), ...consulRateLimitsOf(resources)],
    authorization: authorizationOf(resources),
    external: externalPoliciesOf(resources),
    authorizers: authorizersOf(resources),
    portAccess: [...portAccessOf(resources), ...intentionsOf(resources)],
    opaquePorts: opaquePortsOf(resources),
    tokens: [...tokenPoliciesOf(resources), ...consulTokenPoliciesOf(resources)],
    telemetry: telemetryPoliciesOf(resources),
    callersHidden: hidesCallers(resources),
  };
}
