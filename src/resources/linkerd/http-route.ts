import { READING } from '../../model/finding.js';
import { sourceOf } from '../../yaml/positions.js';
import type { HttpRoute } from '../gateway-api/http-route.js';
import { checkHttpRoute } from '../gateway-api/validate-routes.js';
import type { Report, Resource } from '../resource.js';

/** Filters that Linkerd's own HTTPRoute knows (policy.linkerd.io). */
const FILTERS: readonly string[] = ['RequestHeaderModifier', 'ResponseHeaderModifier', 'RequestRedirect'];

/** An HTTPRoute of Linkerd's own group is one of the Gateway API with fewer filters and without `retry`. */
export function checkLinkerdHttpRoute(resource: Resource<HttpRoute>, report: Report): void {
  for (const rule of resource.spec.rules ?? []) {
    for (const filter of rule.filters ?? [])
      if (!FILTERS.includes(filter.type))
        report(
          READING.schema,
          'error',
          sourceOf(filter, 'type'),
          `an HTTPRoute of ${resource.apiVersion} has no filter ${filter.type}`,
          'apiVersion: gateway.networking.k8s.io/v1',
        );
    if (rule.retry !== undefined)
      report(
        READING.schema,
        'error',
        sourceOf(rule, 'retry'),
        `an HTTPRoute of ${resource.apiVersion} has no retry`,
        'the annotation retry.linkerd.io/http',
      );
  }
  checkHttpRoute(resource, report);
}
