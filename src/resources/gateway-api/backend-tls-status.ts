import { fqdn } from '../../model/names.js';
import { type AncestorStatus, CONTROLLER, condition, type StatusRef } from '../../model/resource-status.js';
import type { Resource } from '../resource.js';
import { anyRoutesOf } from './any-route.js';
import { bindingOf, gatewaysOf } from './attachments.js';
import { type BackendTlsPolicy, badCertificatesOf, targetsOf } from './backend-tls.js';
import type { Surroundings } from './backends.js';
import { backendHost, parentOf } from './references.js';
import { GROUP } from './words.js';

/** What became of a BackendTLSPolicy, for each Service that it is about and each Gateway whose routes lead to one (GEP-1897). */
export function ancestorStatuses(policy: Resource<BackendTlsPolicy>, around: Surroundings): AncestorStatus[] {
  const { namespace, generation, spec } = policy;
  const certificates = badCertificatesOf(policy, around.resources);
  const targets = targetsOf(policy, around.resources).map((target, i) => {
    const known = around.serviceOf(fqdn(target.name, namespace)) !== null;
    const missing = { reason: 'TargetNotFound', message: `the Service ${target.name} is not found` };
    const { sectionName, ...ref } = spec.targetRefs[i] ?? { group: '', kind: 'Service', name: target.name };
    return {
      name: target.name,
      bad: target.bad ?? (known ? null : missing),
      ref: { ...ref, namespace, ...(sectionName === undefined ? {} : { sectionName }) },
    };
  });
  const unusable = certificates === null ? null : { ...certificates, reason: 'NoValidCACertificate' };
  const statusAt = (ancestorRef: StatusRef, bad: { reason: string; message: string } | null): AncestorStatus => ({
    ancestorRef,
    controllerName: CONTROLLER,
    conditions: [
      condition('Accepted', bad ?? unusable, generation),
      condition('ResolvedRefs', certificates, generation),
    ],
  });
  const hosts = targets.filter(({ bad }) => bad === null).map(({ name }) => fqdn(name, namespace));
  return [
    ...targets.map(({ ref, bad }) => statusAt(ref, bad)),
    ...gatewaysTo(hosts, around).map((gateway) => statusAt({ group: GROUP, kind: 'Gateway', ...gateway }, null)),
  ];
}

/** Gateways with a route that leads to one of the hosts. */
function gatewaysTo(hosts: readonly string[], { resources }: Surroundings): { namespace: string; name: string }[] {
  const leading = anyRoutesOf(resources).filter(({ resource, rules }) =>
    rules.some(({ spec: { backendRefs = [] } }) =>
      backendRefs.some((ref) => hosts.includes(backendHost(ref, resource.namespace) ?? '')),
    ),
  );
  return gatewaysOf(resources)
    .filter((gateway) =>
      leading.some((route) =>
        route.parentRefs.some((ref) => {
          const parent = parentOf(ref, route.resource.namespace);
          const meant =
            parent.kind === 'gateway' && parent.namespace === gateway.namespace && parent.name === gateway.name;
          return meant && bindingOf(route, ref, gateway, resources).refusal === null;
        }),
      ),
    )
    .map(({ namespace, name }) => ({ namespace, name }));
}
