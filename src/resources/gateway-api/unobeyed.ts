import type { FlavorName } from '../../model/flavor.js';
import { sourceOf } from '../../yaml/positions.js';
import { droppingInLinkerd } from '../linkerd/route-parts.js';
import type { AnyRoute, Unobeyed } from './any-route.js';
import type { BackendRef, HttpFilter } from './http-route.js';
import { backendHost, type Parent } from './references.js';

/** At a backend Istio knows changes of headers only. */
const AT_BACKENDS: ReadonlySet<HttpFilter['type']> = new Set(['RequestHeaderModifier', 'ResponseHeaderModifier']);
const NOWHERE: ReadonlySet<HttpFilter['type']> = new Set(['ExtensionRef', 'ExternalAuth']);

/** Whose way of taking routes holds for one of them. */
export type Taker = 'istio' | 'linkerd';

/** Routes of Services are Linkerd's under its flavour, and those of its own kind are always; Gateways it has none. */
export function takerOf({ resource }: AnyRoute, parent: Parent, flavor: FlavorName): Taker {
  const inMesh = parent.kind === 'service' || parent.kind === 'service-entry';
  return inMesh && (flavor === 'linkerd' || resource.dialect === 'linkerd') ? 'linkerd' : 'istio';
}

/** Parts for which a mesh drops a route as a whole, so that its requests pass as if it were not there. */
export function droppingParts(route: AnyRoute, taker: Taker): Unobeyed[] {
  return taker === 'linkerd' ? droppingInLinkerd(route) : droppingInIstio(route);
}

/** Observed; the Gateway API asks for an error answer instead. */
function droppingInIstio({ rules }: AnyRoute): Unobeyed[] {
  return rules.flatMap(({ spec: { filters = [], backendRefs = [] } }) => [
    ...filters
      .filter(({ type }) => NOWHERE.has(type))
      .map((filter) => unknownFilter(filter, 'is not known', 'leave it out')),
    ...backendRefs.filter(({ weight }) => weight !== 0).flatMap(ofBackend),
  ]);
}

function ofBackend(backend: BackendRef): Unobeyed[] {
  const filters = (backend.filters ?? [])
    .filter(({ type }) => !AT_BACKENDS.has(type))
    .map((filter) => unknownFilter(filter, 'is not known at a backend', 'put it into the filters of the rule'));
  const isService = (backend.group ?? '') === '' && (backend.kind ?? 'Service') === 'Service';
  if (isService && backend.name.includes('.'))
    filters.push({
      source: sourceOf(backend, 'name'),
      message: `${backend.name} is a host name, where the name of a Service is wanted`,
      hint: `name: ${backend.name.split('.')[0]}, namespace: ${backend.name.split('.')[1]}`,
    });
  if (backendHost(backend, '') !== null && backend.port === undefined)
    filters.push({ source: sourceOf(backend), message: `the backend ${backend.name} has no port`, hint: 'port: 80' });
  if (backend.kind === 'Hostname' && backend.namespace !== undefined)
    filters.push({
      source: sourceOf(backend, 'namespace'),
      message: 'a backend of kind Hostname has no namespace',
      hint: 'leave it out',
    });
  return filters;
}

function unknownFilter(filter: HttpFilter, message: string, hint: string): Unobeyed {
  return { source: sourceOf(filter, 'type'), message: `the filter ${filter.type} ${message}`, hint };
}
