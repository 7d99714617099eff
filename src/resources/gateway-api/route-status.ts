import { fqdn } from '../../model/names.js';
import { objectName } from '../../model/policies.js';
import { CONTROLLER, condition, type ParentStatus, type StatusCondition } from '../../model/resource-status.js';
import { ignoringFilters } from '../linkerd/server-filters.js';
import type { AnyRoute } from './any-route.js';
import { bindingOf, gatewaysOf } from './attachments.js';
import { badReferences, type Surroundings } from './backends.js';
import type { ParentRef } from './http-route.js';
import { outdoneBy } from './outdone.js';
import { parentOf } from './references.js';
import { droppingParts, takerOf } from './unobeyed.js';
import { GROUP } from './words.js';

/** What became of a route at each of its parents; one that is no parent of ours is not told of. */
export function parentStatuses(route: AnyRoute, around: Surroundings): ParentStatus[] {
  const { namespace } = route.resource;
  return route.parentRefs
    .filter((ref) => parentOf(ref, namespace).kind !== 'unknown')
    .map((ref) => ({
      parentRef: {
        group: ref.group ?? GROUP,
        kind: ref.kind ?? 'Gateway',
        namespace: ref.namespace ?? namespace,
        name: ref.name,
        ...(ref.sectionName === undefined ? {} : { sectionName: ref.sectionName }),
        ...(ref.port === undefined ? {} : { port: ref.port }),
      },
      controllerName: CONTROLLER,
      conditions: conditionsAt(route, ref, around),
    }));
}

function conditionsAt(route: AnyRoute, ref: ParentRef, around: Surroundings): StatusCondition[] {
  const { generation } = route.resource;
  const parent = parentOf(ref, route.resource.namespace);
  const [dropped] =
    parent.kind === 'server' ? ignoringFilters(route) : droppingParts(route, takerOf(route, parent, around.flavor));
  const refused = refusalAt(route, ref, around);
  const unsupported = dropped === undefined ? null : { reason: 'UnsupportedValue', message: dropped.message };
  const atGateway = parent.kind === 'gateway';
  const [bad] = badReferences(route, around, atGateway);
  const partly = route.rules.some(({ spec }) => spec.sessionPersistence === true)
    ? { reason: 'UnsupportedValue', message: 'sessionPersistence is not obeyed' }
    : null;
  return [
    condition('Accepted', refused ?? unsupported, generation),
    condition('ResolvedRefs', bad ?? null, generation),
    ...(partly === null ? [] : [condition('PartiallyInvalid', partly, generation)]),
  ];
}

function refusalAt(route: AnyRoute, ref: ParentRef, around: Surroundings): { reason: string; message: string } | null {
  const parent = parentOf(ref, route.resource.namespace);
  if (parent.kind === 'unknown') return null;
  const missing = { reason: 'NoMatchingParent', message: `the ${ref.kind ?? 'Gateway'} ${ref.name} is not found` };
  if (parent.kind === 'gateway') {
    const gateway = gatewaysOf(around.resources).find(
      ({ namespace, name }) => namespace === parent.namespace && name === parent.name,
    );
    if (gateway === undefined) return missing;
    const binding = bindingOf(route, ref, gateway, around.resources);
    return binding.refusal === null ? null : { reason: binding.refusal, message: binding.why };
  }
  if (parent.kind === 'service-entry')
    return around.resources.some(
      ({ kind, namespace, name }) => kind === 'ServiceEntry' && namespace === parent.namespace && name === parent.name,
    )
      ? null
      : missing;
  if (parent.kind === 'server' || parent.kind === 'egress-network') {
    const kind = parent.kind === 'server' ? 'Server' : 'EgressNetwork';
    return around.resources.some(
      (one) => one.kind === kind && one.namespace === parent.namespace && one.name === parent.name,
    )
      ? null
      : missing;
  }
  const service = around.serviceOf(fqdn(parent.name, parent.namespace));
  if (service === null) return missing;
  const rival = around.flavor === 'linkerd' ? outdoneBy(route, ref, around.resources) : null;
  if (rival !== null) return { reason: 'Conflicted', message: `${objectName(rival)} has the same parent` };
  if (ref.port === undefined || service.ports.some(({ port }) => port === ref.port)) return null;
  return { reason: 'NoMatchingParent', message: `the Service ${ref.name} has no port ${ref.port}` };
}
