import type { Random } from '../../platform/random.js';
import {
  type AttemptCall,
  type ClusterState,
  EndpointCall,
  type EndpointState,
  type Filter,
} from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';

/** How often a draw that hit an endpoint tried before is repeated (Istio's hostSelectionRetryMaxAttempts). */
const REDRAWS = 5;

/**
 * Chooses the endpoint of a try. A retry avoids endpoints that were tried before, by drawing again up to five times, as
 * Envoy's `previous_hosts` predicate does.
 */
export function chooseEndpoint(random: Random): Filter<AttemptCall, EndpointCall> {
  return (next) => (attempt) => {
    const { cluster, call } = attempt.routed;
    const tried = call.record.attempts;
    let endpoint = pick(cluster, attempt, random, 0);
    for (let draw = 1; tried.length > 0 && draw <= REDRAWS && wasTried(endpoint, tried); draw++) {
      endpoint = pick(cluster, attempt, random, draw);
    }
    attempt.endpoint = endpoint;
    call.record.destination = endpoint.config.workload;
    return next(new EndpointCall(attempt, endpoint));
  };
}

function wasTried(endpoint: EndpointState, tried: readonly { readonly endpoint: string }[]): boolean {
  return tried.some((attempt) => attempt.endpoint === endpoint.address);
}

function pick(cluster: ClusterState, attempt: AttemptCall, random: Random, draw: number): EndpointState {
  const { endpoints } = cluster;
  if (endpoints.length === 0) throw new ProxyError('no_healthy_upstream', cluster.config.name);
  if (endpoints.length === 1) return endpoints[0] as EndpointState;
  if (cluster.config.balancer === 'ROUND_ROBIN') {
    cluster.turn = (cluster.turn + 1) % endpoints.length;
    return endpoints[cluster.turn] as EndpointState;
  }
  return leastRequest(
    endpoints,
    random.decide(attempt.routed.call.record.requestId, `endpoint ${attempt.number}.${draw}`),
  );
}

/** Power of two choices: two different endpoints at random, the one with fewer requests in flight. */
function leastRequest(endpoints: readonly EndpointState[], chance: number): EndpointState {
  const pairs = endpoints.length * (endpoints.length - 1);
  const n = Math.floor(chance * pairs);
  const first = Math.floor(n / (endpoints.length - 1));
  const rest = n % (endpoints.length - 1);
  const second = rest >= first ? rest + 1 : rest;
  const a = endpoints[first] as EndpointState;
  const b = endpoints[second] as EndpointState;
  return b.active < a.active ? b : a;
}
