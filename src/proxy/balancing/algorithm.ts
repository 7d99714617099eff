import type { BalancingAlgorithm } from '../../model/cluster.js';
import type { Choice, ClusterLoad, EndpointState } from '../pipeline/cluster.js';
import { maglev } from './maglev.js';
import { ringHash } from './ring-hash.js';
import { smoothRoundRobin, type WeightOf, weightedRandom } from './weights.js';

/** Chooses one of a fixed list of endpoints, which is never empty. */
export type Choose = (attempt: Choice, draw: number) => EndpointState;

export interface AlgorithmParts {
  /** [0, 1) for a try, always the same for the same seed, request, try and draw. */
  readonly chance: (attempt: Choice, draw: number) => number;
  readonly load: ClusterLoad;
  /** Null = all count the same. */
  readonly weightOf: WeightOf | null;
}

/** The algorithm over these endpoints. Shapes and rules: Envoy, `arch_overview/upstream/load_balancing`. */
export function algorithm(
  config: BalancingAlgorithm,
  endpoints: readonly EndpointState[],
  parts: AlgorithmParts,
): Choose {
  const [only] = endpoints;
  if (only !== undefined && endpoints.length === 1) return () => only;
  switch (config.kind) {
    case 'round-robin':
      return parts.weightOf === null ? roundRobin(endpoints, parts.load) : smoothRoundRobin(endpoints, parts.weightOf);
    case 'random':
      return random(endpoints, parts);
    case 'least-request':
      return parts.weightOf === null
        ? leastRequest(endpoints, config.choices, parts)
        : weightedLeastRequest(endpoints, parts.weightOf, parts);
    case 'peak-ewma':
      return peakEwma(endpoints, parts);
    case 'ring-hash':
      return ringHash(endpoints, config, parts.chance);
    case 'maglev':
      return maglev(endpoints, config.tableSize, parts.chance);
  }
}

function roundRobin(endpoints: readonly EndpointState[], load: ClusterLoad): Choose {
  return () => {
    load.turn = (load.turn + 1) % endpoints.length;
    return endpoints[load.turn] as EndpointState;
  };
}

function random(endpoints: readonly EndpointState[], { chance, weightOf }: AlgorithmParts): Choose {
  if (weightOf !== null) return weightedRandom(endpoints, weightOf, chance);
  return (attempt, draw) => endpoints[Math.floor(chance(attempt, draw) * endpoints.length)] as EndpointState;
}

/**
 * Power of two choices: two endpoints at random, the one with fewer requests in flight; or more than two. Each is drawn
 * from all, so that one may be drawn twice: of two endpoints the busier one still gets a quarter (Envoy).
 */
function leastRequest(endpoints: readonly EndpointState[], choices: number, { chance }: AlgorithmParts): Choose {
  if (choices <= 2) {
    return (attempt, draw) => {
      const n = Math.floor(chance(attempt, draw) * endpoints.length * endpoints.length);
      const a = endpoints[Math.floor(n / endpoints.length)] as EndpointState;
      const b = endpoints[n % endpoints.length] as EndpointState;
      return b.active < a.active ? b : a;
    };
  }
  return (attempt, draw) => {
    let best = endpoints[Math.floor(chance(attempt, draw) * endpoints.length)] as EndpointState;
    for (let n = 1; n < choices; n++) {
      const other = endpoints[Math.floor(chance(attempt, draw + n * 1_000) * endpoints.length)] as EndpointState;
      if (other.active < best.active) best = other;
    }
    return best;
  };
}

/** With different weights each counts as much less as it has in flight more (Envoy's active request bias of 1). */
function weightedLeastRequest(
  endpoints: readonly EndpointState[],
  weightOf: WeightOf,
  { chance }: AlgorithmParts,
): Choose {
  return weightedRandom(endpoints, (endpoint) => weightOf(endpoint) / (endpoint.active + 1), chance);
}

/** Linkerd's: latency times requests in flight, the better one of two. */
function peakEwma(endpoints: readonly EndpointState[], { chance }: AlgorithmParts): Choose {
  return (attempt, draw) => {
    const [a, b] = twoOf(endpoints, chance(attempt, draw));
    return cost(b) < cost(a) ? b : a;
  };
}

function cost(endpoint: EndpointState): number {
  return (endpoint.latency?.read() ?? 0) * (endpoint.active + 1);
}

/** Two different ones of at least two, every pair as likely. */
function twoOf(endpoints: readonly EndpointState[], chance: number): readonly [EndpointState, EndpointState] {
  const n = Math.floor(chance * endpoints.length * (endpoints.length - 1));
  const first = Math.floor(n / (endpoints.length - 1));
  const rest = n % (endpoints.length - 1);
  const second = rest >= first ? rest + 1 : rest;
  return [endpoints[first] as EndpointState, endpoints[second] as EndpointState];
}
