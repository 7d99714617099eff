import type { SlowStart } from '../../model/cluster.js';
import type { Clock } from '../../platform/clock.js';
import type { Choice, EndpointState } from '../pipeline/cluster.js';

export type WeightOf = (endpoint: EndpointState) => number;

/** How much each of these endpoints counts now; null where all count the same for good. */
export function weights(
  endpoints: readonly EndpointState[],
  slowStart: SlowStart | null,
  clock: Clock,
): WeightOf | null {
  if (slowStart !== null)
    return (endpoint) => endpoint.config.weight * warmth(slowStart, clock.monotonic() - endpoint.since);
  const [first] = endpoints;
  return endpoints.every(({ config }) => config.weight === first?.config.weight)
    ? null
    : (endpoint) => endpoint.config.weight;
}

/** Share of its weight that an endpoint of this age has (Envoy: max(minimum, (age / window) ^ (1 / aggression))). */
export function warmth({ windowMs, minimumPercent, aggression }: SlowStart, ageMs: number): number {
  if (ageMs >= windowMs) return 1;
  return Math.max(minimumPercent / 100, Math.max(0, ageMs / windowMs) ** (1 / aggression));
}

/** Each as often as its weight says, by chance. */
export function weightedRandom(
  endpoints: readonly EndpointState[],
  weightOf: WeightOf,
  chance: (attempt: Choice, draw: number) => number,
): (attempt: Choice, draw: number) => EndpointState {
  return (attempt, draw) => {
    let total = 0;
    for (const endpoint of endpoints) total += weightOf(endpoint);
    let point = chance(attempt, draw) * total;
    for (const endpoint of endpoints) {
      point -= weightOf(endpoint);
      if (point < 0) return endpoint;
    }
    return endpoints[endpoints.length - 1] as EndpointState;
  };
}

/** Each as often as its weight says, in turns that lie as far apart as they can. */
export function smoothRoundRobin(endpoints: readonly EndpointState[], weightOf: WeightOf): () => EndpointState {
  const credit = new Float64Array(endpoints.length);
  return () => {
    let total = 0;
    let best = 0;
    for (let i = 0; i < endpoints.length; i++) {
      const weight = weightOf(endpoints[i] as EndpointState);
      total += weight;
      credit[i] = (credit[i] as number) + weight;
      if ((credit[i] as number) > (credit[best] as number)) best = i;
    }
    credit[best] = (credit[best] as number) - total;
    return endpoints[best] as EndpointState;
  };
}
