import { conditionsOf, isBad, type ResourceStatus, type StatusCondition } from '../model/resource-status.js';

/** What is not as it should be, each once. */
export function badOf(status: ResourceStatus): StatusCondition[] {
  const seen = new Map<string, StatusCondition>();
  for (const one of conditionsOf(status).filter(isBad)) seen.set(`${one.type} ${one.message}`, one);
  return [...seen.values()];
}

/** `Accepted, 2 routes` or `ResolvedRefs=False`. */
export function statusText(status: ResourceStatus): string {
  const bad = [...new Set(badOf(status).map(({ type, status: value }) => `${type}=${value}`))];
  if (bad.length > 0) return bad.join(', ');
  const { listeners, parents } = status;
  if (parents !== undefined && parents.length === 0) return 'no parent';
  const routes = (listeners ?? []).reduce((sum, { attachedRoutes }) => sum + attachedRoutes, 0);
  return listeners === undefined ? 'Accepted' : `Accepted, ${routes} ${routes === 1 ? 'route' : 'routes'}`;
}
