import { describe, expect, it } from 'vitest';
import { type Random, seededRandom } from '../../../src/platform/random.js';
import { chooseEndpoint } from '../../../src/proxy/balancing/endpoint.js';
import type { AttemptCall, ClusterState, EndpointState } from '../../../src/proxy/pipeline/call.js';
import { ProxyError } from '../../../src/proxy/pipeline/proxy-error.js';

function endpointState(name: string, active = 0): EndpointState {
  const config = { address: '10.0.0.1', port: 1, workload: name, version: 'v1' };
  return { config, address: `${name}:1`, key: name, active };
}

function clusterOf(balancer: 'LEAST_REQUEST' | 'ROUND_ROBIN', endpoints: readonly EndpointState[]): ClusterState {
  return { config: { name: 'reviews', balancer } as ClusterState['config'], endpoints, turn: 0 };
}

/** Chooses for the n-th request, whose earlier tries went to `tried`. */
function chosen(cluster: ClusterState, n: number, random: Random, tried: readonly string[] = []): string {
  const record = { requestId: `request ${n}`, attempts: tried.map((name) => ({ endpoint: `${name}:1` })) };
  const attempt = {
    routed: { cluster, call: { record } },
    number: tried.length + 1,
    endpoint: null,
  } as unknown as AttemptCall;
  const choose = chooseEndpoint(random)((call) => Promise.resolve(call.endpoint.config.workload as never));
  void choose(attempt);
  return attempt.endpoint?.config.workload ?? '';
}

function counts(cluster: ClusterState, requests: number, random = seededRandom(1, 'test')): Record<string, number> {
  const count: Record<string, number> = {};
  for (let n = 0; n < requests; n++) {
    const name = chosen(cluster, n, random);
    count[name] = (count[name] ?? 0) + 1;
  }
  return count;
}

describe('round robin', () => {
  it('gives every endpoint its turn, exactly', () => {
    const cluster = clusterOf(
      'ROUND_ROBIN',
      ['a', 'b', 'c'].map((name) => endpointState(name)),
    );
    expect(counts(cluster, 300)).toEqual({ a: 100, b: 100, c: 100 });
  });

  it('goes on past an endpoint that a try was made at', () => {
    const cluster = clusterOf(
      'ROUND_ROBIN',
      ['a', 'b', 'c'].map((name) => endpointState(name)),
    );
    for (let n = 0; n < 30; n++) expect(chosen(cluster, n, seededRandom(1, 'test'), ['a', 'b'])).toBe('c');
  });
});

describe('least request', () => {
  it('is even among equals', () => {
    const cluster = clusterOf(
      'LEAST_REQUEST',
      ['a', 'b', 'c', 'd'].map((name) => endpointState(name)),
    );
    for (const count of Object.values(counts(cluster, 8_000))) expect(Math.abs(count - 2_000)).toBeLessThan(200);
  });

  it('never takes the busiest of three, and takes the idle one whenever it is drawn: two times in three', () => {
    const cluster = clusterOf('LEAST_REQUEST', [
      endpointState('busy', 9),
      endpointState('some', 3),
      endpointState('idle'),
    ]);
    const { busy = 0, idle = 0, some = 0 } = counts(cluster, 6_000);
    expect(busy).toBe(0);
    expect(Math.abs(idle - 4_000)).toBeLessThan(250);
    expect(idle + some).toBe(6_000);
  });

  it('compares two different endpoints, so that of two the idle one is always taken', () => {
    const cluster = clusterOf('LEAST_REQUEST', [endpointState('busy', 1), endpointState('idle')]);
    expect(counts(cluster, 500)).toEqual({ idle: 500 });
  });

  it('avoids on a retry what was tried, and takes it again when there is nothing else', () => {
    const cluster = clusterOf(
      'LEAST_REQUEST',
      ['a', 'b', 'c'].map((name) => endpointState(name)),
    );
    const again = Array.from({ length: 300 }, (_, n) => chosen(cluster, n, seededRandom(1, 'test'), ['a']));
    // Five draws out of three: the tried one comes every time in (1/3)^6 of the cases.
    expect(again.filter((name) => name === 'a').length).toBeLessThan(5);
    expect(chosen(clusterOf('LEAST_REQUEST', [endpointState('a')]), 1, seededRandom(1, 'test'), ['a'])).toBe('a');
  });

  it('chooses the same for the same seed and request, whatever else happens', () => {
    const cluster = clusterOf(
      'LEAST_REQUEST',
      ['a', 'b', 'c'].map((name) => endpointState(name)),
    );
    const all = (random: Random) => Array.from({ length: 50 }, (_, n) => chosen(cluster, n, random));
    const disturbed = seededRandom(7, 'other');
    disturbed.next();
    expect(all(disturbed)).toEqual(all(seededRandom(7, 'other')));
    expect(all(seededRandom(8, 'other'))).not.toEqual(all(disturbed));
  });
});

describe('no endpoint', () => {
  it('is a failure of its own', () => {
    const thrown = (() => {
      try {
        return chosen(clusterOf('LEAST_REQUEST', []), 1, seededRandom(1, 'test'));
      } catch (error) {
        return error;
      }
    })();
    expect(thrown).toBeInstanceOf(ProxyError);
    expect((thrown as ProxyError).code).toBe('no_healthy_upstream');
  });
});
