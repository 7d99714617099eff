import type { Endpoint } from '../model/cluster.js';

/** Parts of `region/zone/sub-zone` that two localities do not share from the left, 0 to 3. */
function distance(from: string, to: string): number {
  const [a, b] = [from.split('/'), to.split('/')];
  let shared = 0;
  while (shared < 3 && (a[shared] ?? '') === (b[shared] ?? '')) shared++;
  return 3 - shared;
}

/**
 * Endpoints with the priority that a caller's place gives them (Istio's locality failover): those of its sub-zone first,
 * then of its zone, its region, the rest. Levels that nobody is at are left out, so that they count 0, 1, 2, …
 */
export function byDistance(from: string, endpoints: readonly Endpoint[]): Endpoint[] {
  const levels = [...new Set(endpoints.map(({ locality }) => distance(from, locality)))].sort((a, b) => a - b);
  return endpoints.map((endpoint) => ({ ...endpoint, priority: levels.indexOf(distance(from, endpoint.locality)) }));
}
