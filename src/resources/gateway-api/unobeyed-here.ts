import { type Finding, READING } from '../../model/finding.js';
import type { FlavorName } from '../../model/flavor.js';
import { sourceOf } from '../../yaml/positions.js';
import { leftOutRedirects } from '../left-out-redirects.js';
import { ofKind, type Resource, reporter } from '../resource.js';
import type { BackendTlsPolicy } from './backend-tls.js';
import { unobeyedRoutes } from './unobeyed-routes.js';

/** What of routes and of the Gateway API's resources would not be obeyed, by the mesh that would take them. */
export function unobeyedIn(resources: readonly Resource[], flavor: FlavorName): Finding[] {
  return [
    ...unobeyedRoutes(resources, flavor),
    ...unobeyedTls(resources, flavor),
    ...leftOutRedirects(resources, flavor),
  ];
}

/** Sidecars of Linkerd and Consul secure what they secure by the identities of their mesh alone. */
function unobeyedTls(resources: readonly Resource[], flavor: FlavorName): Finding[] {
  if (flavor === 'istio') return [];
  const found: Finding[] = [];
  for (const policy of ofKind<BackendTlsPolicy>(resources, 'gateway-api', 'BackendTLSPolicy')) {
    const names = policy.spec.targetRefs.map(({ name }) => name).join(', ');
    reporter(policy, found)(
      READING.unsupportedField,
      'warning',
      sourceOf(policy.spec, 'validation'),
      `calls to ${names} are not encrypted by it: of the meshes Istio alone obeys a BackendTLSPolicy`,
      'mesh-sandbox up --flavor istio',
    );
  }
  return found;
}
