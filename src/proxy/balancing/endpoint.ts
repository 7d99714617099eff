import type { Clock } from '../../platform/clock.js';
import { type AttemptCall, EndpointCall, type Filter } from '../pipeline/call.js';
import type { EndpointState } from '../pipeline/cluster.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { hashOf } from './hash.js';

/** How often a draw that hit an endpoint tried before is repeated (Istio's hostSelectionRetryMaxAttempts). */
const REDRAWS = 5;

/**
 * Chooses the endpoint of a try. A retry avoids endpoints that were tried before where its policy says so, by drawing
 * again up to five times, as Envoy's `previous_hosts` predicate does.
 */
export function chooseEndpoint(clock: Clock): Filter<AttemptCall, EndpointCall> {
  return (next) => (attempt) => {
    const { routed } = attempt;
    const { cluster, call, route } = routed;
    if (attempt.number === 1 && route.hash.length > 0) routed.hash = hashOf(route.hash, call);
    const endpoint = choose(attempt);
    if (endpoint === null) throw new ProxyError('no_healthy_upstream', cluster.config.name);
    attempt.endpoint = endpoint;
    call.record.destination = endpoint.config.workload;
    endpoint.watch?.chosen();
    const answer = next(new EndpointCall(attempt, endpoint));
    return endpoint.latency === null ? answer : answer.finally(() => observe(endpoint, attempt, clock));
  };
}

function choose(attempt: AttemptCall): EndpointState | null {
  const { picker } = attempt.routed.cluster;
  let endpoint = picker.pick(attempt, 0);
  const tried = attempt.routed.call.record.attempts;
  if (tried.length === 0 || attempt.routed.route.retry?.avoidTriedHosts !== true) return endpoint;
  for (let draw = 1; draw <= REDRAWS && endpoint !== null && wasTried(endpoint, tried); draw++)
    endpoint = picker.pick(attempt, draw);
  return endpoint;
}

function wasTried(endpoint: EndpointState, tried: readonly { readonly endpoint: string }[]): boolean {
  return tried.some((attempt) => attempt.endpoint === endpoint.address);
}

/** A try that failed counts as slow as it was; so does one that was called off. */
function observe({ latency }: EndpointState, { started }: AttemptCall, clock: Clock): void {
  latency?.observe(clock.monotonic() - started);
}
