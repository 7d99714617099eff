import { fqdn } from '../../model/names.js';
import { destinationName } from '../../model/policies.js';
import { ofKind, type Resource } from '../resource.js';
import type { ParentRef } from './http-route.js';
import type { ReferenceGrant } from './others.js';
import { GROUP } from './words.js';

/** What a reference to a parent means; its group is the Gateway API's unless it says otherwise, also for `kind: Service`. */
export type Parent =
  | {
      readonly kind: 'service' | 'service-entry' | 'gateway' | 'server' | 'egress-network';
      readonly namespace: string;
      readonly name: string;
    }
  | { readonly kind: 'unknown' };

export function parentOf(ref: ParentRef, namespace: string): Parent {
  const named = { namespace: ref.namespace ?? namespace, name: ref.name };
  switch (`${ref.group ?? GROUP}/${ref.kind ?? 'Gateway'}`) {
    // Linkerd calls the group of Kubernetes' own kinds `core`.
    case '/Service':
    case 'core/Service':
      return { kind: 'service', ...named };
    case 'policy.linkerd.io/Server':
      return { kind: 'server', ...named };
    case 'policy.linkerd.io/EgressNetwork':
      return { kind: 'egress-network', ...named };
    case 'networking.istio.io/ServiceEntry':
      return { kind: 'service-entry', ...named };
    case `${GROUP}/Gateway`:
      return { kind: 'gateway', ...named };
    default:
      return { kind: 'unknown' };
  }
}

/** A reference to a backend, as a rule or a mirror has it. */
export interface ObjectReference {
  readonly group?: string;
  readonly kind?: string;
  readonly name: string;
  readonly namespace?: string;
  readonly port?: number;
}

/** The host of a backend; null = its kind is none that answers requests. */
export function backendHost(ref: ObjectReference, namespace: string): string | null {
  switch (`${ref.group ?? ''}/${ref.kind ?? 'Service'}`) {
    case '/Service':
    case 'core/Service':
      return fqdn(ref.name, ref.namespace ?? namespace);
    case 'networking.istio.io/Hostname':
      return ref.name;
    default:
      return null;
  }
}

/** The cluster of a backend; one that is not allowed or of no known kind has a name that no cluster has. */
export function backendName(ref: ObjectReference, namespace: string, allowed: boolean): string {
  const host = allowed ? backendHost(ref, namespace) : null;
  return destinationName(
    host ?? `${ref.kind ?? 'Service'}/${ref.namespace ?? namespace}/${ref.name}`,
    ref.port ?? null,
    '',
  );
}

/** Whether a route may lead into another namespace: something there must grant it. */
export function isGranted(ref: ObjectReference, route: Resource, resources: readonly Resource[]): boolean {
  const namespace = ref.namespace ?? route.namespace;
  if (namespace === route.namespace) return true;
  return ofKind<ReferenceGrant>(resources, 'gateway-api', 'ReferenceGrant').some(
    (grant) =>
      grant.namespace === namespace &&
      (grant.spec.from ?? []).some(
        (from) => from.group === GROUP && from.kind === route.kind && from.namespace === route.namespace,
      ) &&
      (grant.spec.to ?? []).some(
        (to) =>
          to.group === (ref.group ?? '') &&
          to.kind === (ref.kind ?? 'Service') &&
          (to.name === undefined || to.name === '' || to.name === ref.name),
      ),
  );
}
