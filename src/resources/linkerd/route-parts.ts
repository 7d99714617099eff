import { sourceOf } from '../../yaml/positions.js';
import type { AnyRoute, AnyRule, Unobeyed } from '../gateway-api/any-route.js';
import type { BackendRef, HttpFilter } from '../gateway-api/http-route.js';
import { unreadable } from './annotation-values.js';

/** Filters that Linkerd knows (linkerd2 `policy-controller/k8s/index/src/outbound`). */
const KNOWN: ReadonlySet<HttpFilter['type']> = new Set([
  'RequestHeaderModifier',
  'ResponseHeaderModifier',
  'RequestRedirect',
]);

/**
 * Parts for which Linkerd leaves out a route of a Service as a whole: its requests pass as if it were not there. Linkerd
 * itself only logs it.
 */
export function droppingInLinkerd({ resource, rules }: AnyRoute): Unobeyed[] {
  const filters = rules.flatMap(({ spec }) => (spec.filters ?? []).filter(({ type }) => !KNOWN.has(type)));
  const { annotations, kind } = resource;
  const groups = ['timeouts', kind === 'GRPCRoute' ? 'grpc' : 'http'] as const;
  const values = groups.map((group) => unreadable(annotations, group)).filter((name) => name !== null);
  return [
    ...filters.map((filter) => ({
      source: sourceOf(filter, 'type'),
      message: `Linkerd knows no filter ${filter.type}`,
      hint: `it knows: ${[...KNOWN].join(', ')}`,
    })),
    ...values.map((name) => ({
      source: sourceOf(annotations, name),
      message: `Linkerd cannot read ${name}`,
      hint: 'see MS0201',
    })),
  ];
}

/** Parts that Linkerd does not look at, or that cost no more than their own share of the requests. */
export function ignoredInLinkerd({ resource, rules }: AnyRoute): Unobeyed[] {
  return rules.flatMap((rule) => [...ignoredTimes(rule, resource.dialect === 'linkerd'), ...badBackends(rule)]);
}

function ignoredTimes({ spec }: AnyRule, own: boolean): Unobeyed[] {
  const { retry, timeouts = {} } = spec;
  const ignored: Unobeyed[] = [];
  const ignore = (part: object, field: string, hint: string): void => {
    ignored.push({ source: sourceOf(part, field), message: `Linkerd does not look at ${field}`, hint });
  };
  if (retry !== undefined) ignore(spec, 'retry', 'the annotation retry.linkerd.io/http');
  if (!own && timeouts.request !== undefined)
    ignore(timeouts, 'request', 'the annotation timeout.linkerd.io/request, or apiVersion: policy.linkerd.io/v1beta3');
  if (timeouts.backendRequest !== undefined)
    ignore(timeouts, 'backendRequest', 'the annotation timeout.linkerd.io/response');
  return ignored;
}

function badBackends({ spec }: AnyRule): Unobeyed[] {
  return (spec.backendRefs ?? []).flatMap((backend) => {
    const bad = badBackend(backend);
    return bad === null ? [] : [{ ...bad, message: `${bad.message}, so its share is answered 500` }];
  });
}

/** Why a backend answers nothing there; null = it does. */
export function badBackend(backend: BackendRef): Unobeyed | null {
  const unknown = (backend.filters ?? []).find(({ type }) => !KNOWN.has(type));
  if (unknown !== undefined)
    return {
      source: sourceOf(unknown, 'type'),
      message: `Linkerd knows no filter ${unknown.type} at a backend`,
      hint: 'leave it out',
    };
  const isService = ['', 'core'].includes(backend.group ?? '') && (backend.kind ?? 'Service') === 'Service';
  if (isService && backend.port === undefined)
    return { source: sourceOf(backend), message: `the backend ${backend.name} has no port`, hint: 'port: 80' };
  return null;
}
