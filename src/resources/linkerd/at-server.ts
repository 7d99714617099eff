import { READING } from '../../model/finding.js';
import type { SourceRef } from '../../model/source.js';
import { sourceOf } from '../../yaml/positions.js';
import type { AnyRoute, AnyRule } from '../gateway-api/any-route.js';
import type { Report } from '../resource.js';
import { badPartOf, serverRefsOf } from './inbound-routes.js';
import { ignoringFilters } from './server-filters.js';

const IGNORED =
  'so the whole route is ignored at its Servers, all of its rules: requests pass as if it were not there (Linkerd)';

/** What a route that is attached to a Server of Linkerd says without effect, and what makes it have none. */
export function tellAtServer(route: AnyRoute, report: Report): void {
  const refs = serverRefsOf(route);
  if (refs.length === 0) return;
  const tell = (where: SourceRef, message: string, hint = ''): void =>
    report(READING.unsupportedField, 'warning', where, message, hint);
  for (const ref of refs) {
    const part = badPartOf(ref, route);
    if (part !== null) tell(sourceOf(ref, part), `a Server is referred to without ${part}, ${IGNORED}`, 'leave it out');
  }
  for (const { source, message, hint } of ignoringFilters(route)) tell(source, `${message}, ${IGNORED}`, hint);
  for (const rule of route.rules) tellRule(rule, refs.length === route.parentRefs.length, tell);
}

/** Of a route that is at Servers alone, where requests go and how long they may take is said by nobody. */
function tellRule({ spec }: AnyRule, alone: boolean, tell: (where: SourceRef, message: string, hint?: string) => void) {
  for (const filter of spec.filters ?? [])
    if (filter.type === 'ResponseHeaderModifier')
      tell(
        sourceOf(filter, 'type'),
        'ResponseHeaderModifier has no effect at a Server (Linkerd)',
        'attach the route to the Service',
      );
  if (!alone) return;
  for (const field of ['backendRefs', 'timeouts', 'retry'] as const)
    if (spec[field] !== undefined)
      tell(sourceOf(spec, field), `${field} has no effect at a Server (Linkerd)`, 'attach the route to the Service');
}
