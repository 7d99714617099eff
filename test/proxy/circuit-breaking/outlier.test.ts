import { describe, expect, it } from 'vitest';
import { OUTLIER_DEFAULTS, type OutlierDetection } from '../../../src/model/cluster.js';
import { seededRandom } from '../../../src/platform/random.js';
import { type BreakerEvent, Breakers } from '../../../src/proxy/circuit-breaking/breakers.js';
import type { ClusterState, EndpointOutcome } from '../../../src/proxy/pipeline/cluster.js';
import { attemptAt, clusterAtWork, endpointNamed } from '../../support/clusters.js';
import { FakeClock } from '../../support/fake-clock.js';

interface Watched {
  readonly clock: FakeClock;
  readonly cluster: ClusterState;
  readonly events: BreakerEvent[];
  readonly breakers: Breakers;
  /** The endpoint answers so, one after the other. */
  answer(name: string, ...outcomes: EndpointOutcome[]): void;
  /** Names of the endpoints that may be asked. */
  available(): string;
}

function watched(names: readonly string[], policy: Partial<OutlierDetection>): Watched {
  const clock = new FakeClock();
  const random = seededRandom(1, 'test');
  const events: BreakerEvent[] = [];
  const cluster = clusterAtWork(
    names,
    { ejection: { ...OUTLIER_DEFAULTS, maxEjectionPercent: 100, ...policy } },
    { clock, random },
  );
  const breakers = new Breakers({ clock, random, onEvent: (event) => events.push(event) });
  breakers.follow(new Map([['reviews', cluster]]));
  return {
    clock,
    cluster,
    events,
    breakers,
    answer: (name, ...outcomes) => {
      for (const outcome of outcomes) endpointNamed(cluster, name).watch?.ended(outcome);
    },
    available: () => {
      const met = new Set<string>();
      for (let n = 0; n < 200; n++) met.add(cluster.picker.pick(attemptAt(cluster, `${n}`), 0)?.config.workload ?? '-');
      return [...met].sort().join('');
    },
  };
}

const times = (n: number, outcome: EndpointOutcome): EndpointOutcome[] => Array.from({ length: n }, () => outcome);

describe('failures in a row', () => {
  it('put an endpoint aside at the threshold, not before', () => {
    const { answer, available, events } = watched(['a', 'b', 'c'], { consecutive5xx: 5 });
    answer('a', ...times(4, 500));
    expect(available()).toBe('abc');
    answer('a', 503);
    expect(available()).toBe('bc');
    expect(events).toEqual([
      {
        kind: 'ejected',
        service: 'reviews',
        workload: 'a',
        endpoint: '10.0.0.1:80',
        text: 'a (10.0.0.1:80) was put aside for 30 s: 5 failures (5xx or no answer) in a row',
      },
    ]);
  });

  it('begin anew after an answer that is none', () => {
    const { answer, available } = watched(['a', 'b'], { consecutive5xx: 3 });
    answer('a', 500, 500, 404, 500, 500);
    expect(available()).toBe('ab');
  });

  it('count no answer as one, whatever the reason, but not what the endpoint has no part in', () => {
    const { answer, available } = watched(['a', 'b'], { consecutive5xx: 3 });
    answer('a', 'connect_failure', 'client_gone', 'overflow', 'own_identity_unavailable', 'per_try_timeout');
    expect(available()).toBe('ab');
    answer('a', 'connection_termination');
    expect(available()).toBe('b');
  });

  it('of gateway errors count 502 to 504 and no answer, and are broken by a plain 500', () => {
    const gateway = { consecutive5xx: 0, consecutiveGatewayErrors: 3 };
    const { answer, available, clock } = watched(['a', 'b', 'c'], gateway);
    answer('a', 502, 503, 500, 504, 503);
    expect(available()).toBe('abc');
    answer('a', 502);
    expect(available()).toBe('bc');
    clock.advance(1_001);
    answer('b', 'connect_timeout', 'request_timeout', 'connect_failure');
    expect(available()).toBe('c');
  });

  it('of our own making count by themselves where they are split off', () => {
    const split = { splitLocalOriginErrors: true, consecutiveLocalOriginFailures: 2, consecutive5xx: 3 };
    const { answer, available, clock } = watched(['a', 'b', 'c'], split);
    answer('a', 500, 500, 'connect_failure', 500);
    expect(available()).toBe('bc');
    clock.advance(1_001);
    answer('b', 'connect_failure', 500, 'connect_failure', 'connect_failure');
    expect(available()).toBe('c');
  });

  // Observed on Envoy 1.40: each connection that comes about is a success of reaching the endpoint.
  it('of our own making on a connection that stood are each the first in a row, where they are split off', () => {
    const twice = watched(['a', 'b'], { splitLocalOriginErrors: true, consecutiveLocalOriginFailures: 2 });
    twice.answer('a', ...Array.from({ length: 10 }, () => 'connection_termination' as const));
    expect(twice.available()).toBe('ab');
    const once = watched(['a', 'b'], { splitLocalOriginErrors: true, consecutiveLocalOriginFailures: 1 });
    once.answer('a', 'connection_termination');
    expect(once.available()).toBe('b');
  });

  // Observed on Envoy 1.40: updates of a cluster within a second of one another are merged.
  it('that put a second endpoint aside within a second of the first are obeyed a second later', () => {
    const { answer, available, clock } = watched(['a', 'b', 'c'], { consecutive5xx: 1 });
    answer('a', 500);
    answer('b', 500);
    expect(available()).toBe('bc');
    clock.advance(999);
    expect(available()).toBe('bc');
    clock.advance(1);
    expect(available()).toBe('c');
  });

  it('switched off put nobody aside', () => {
    const { answer, available } = watched(['a', 'b'], { consecutive5xx: 0 });
    answer('a', ...times(50, 503));
    expect(available()).toBe('ab');
  });
});

describe('the share that may be out', () => {
  // Observed on Envoy 1.40: an ejection must fit the percentage.
  it.each([
    [10, 3, 0],
    [33, 3, 0],
    [34, 3, 1],
    [49, 2, 0],
    [50, 2, 1],
    [100, 2, 2],
    [10, 10, 1],
    [20, 10, 2],
  ])('at most %d %% of %d endpoints: %d', (maxEjectionPercent, endpoints, out) => {
    const names = Array.from({ length: endpoints }, (_, i) => `e${i}`);
    const { answer, cluster, events } = watched(names, { maxEjectionPercent, consecutive5xx: 1 });
    for (const name of names) answer(name, 500);
    expect(cluster.endpoints.filter(({ available }) => !available).length).toBe(out);
    expect(events.filter(({ kind }) => kind === 'spared').length).toBe(endpoints - out);
  });
});

describe('coming back', () => {
  it('happens at the first sweep after the time is over', () => {
    const { answer, available, clock, events } = watched(['a', 'b'], { baseEjectionMs: 25_000, intervalMs: 10_000 });
    answer('a', ...times(5, 500));
    clock.advance(29_999);
    expect(available()).toBe('b');
    clock.advance(1);
    expect(available()).toBe('ab');
    expect(events.at(-1)?.kind).toBe('returned');
  });

  it('takes longer each time, up to the longest, and shorter again after quiet sweeps', () => {
    const policy = { consecutive5xx: 1, baseEjectionMs: 10_000, maxEjectionMs: 20_000, intervalMs: 1_000 };
    const { answer, clock, events } = watched(['a', 'b'], policy);
    const seconds: string[] = [];
    for (let round = 0; round < 3; round++) {
      answer('a', 500);
      seconds.push(/for (\d+) s/.exec(events.at(-1)?.text ?? '')?.[1] ?? '');
      clock.advance(20_500);
    }
    // Between two ejections lie some quiet sweeps: the second comes 500 ms after the first was over.
    expect(seconds[0]).toBe('10');
    answer('a', 500);
    clock.advance(10_400);
    const before = events.length;
    answer('a', 500);
    expect(events.length).toBeGreaterThanOrEqual(before);
    clock.advance(120_000);
    answer('a', 500);
    expect(events.at(-1)?.text).toContain('for 10 s');
  });

  it('starts its rows from nothing', () => {
    const { answer, available, clock } = watched(['a', 'b'], {
      consecutive5xx: 3,
      baseEjectionMs: 1_000,
      intervalMs: 1_000,
    });
    answer('a', 500, 500, 500);
    clock.advance(2_000);
    answer('a', 500, 500);
    expect(available()).toBe('ab');
  });
});

describe('success rates', () => {
  const policy = {
    consecutive5xx: 0,
    intervalMs: 10_000,
    successRate: { minimumHosts: 5, requestVolume: 100, stdevFactor: 1_900 },
  };
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];

  it('put aside who is far below the others, at the sweep', () => {
    const { answer, available, clock, events } = watched(names, policy);
    for (const name of names) answer(name, ...times(name === 'f' ? 40 : 99, 200), ...times(name === 'f' ? 60 : 1, 500));
    expect(available()).toBe('abcdef');
    clock.advance(10_000);
    expect(available()).toBe('abcde');
    expect(events[0]?.text).toContain('its success rate of 40 % is far below the average of 89.2 %');
  });

  it('say nothing with too few requests or too few endpoints', () => {
    const few = watched(names, policy);
    for (const name of names) few.answer(name, ...times(50, name === 'f' ? 500 : 200));
    few.clock.advance(10_000);
    expect(few.available()).toBe('abcdef');
    const four = watched(['a', 'b', 'c', 'd'], policy);
    for (const name of ['a', 'b', 'c', 'd']) four.answer(name, ...times(100, name === 'd' ? 500 : 200));
    four.clock.advance(10_000);
    expect(four.available()).toBe('abcd');
  });

  it('count from sweep to sweep', () => {
    const { answer, available, clock } = watched(names, policy);
    for (const name of names) answer(name, ...times(60, name === 'f' ? 500 : 200));
    clock.advance(10_000);
    for (const name of names) answer(name, ...times(60, name === 'f' ? 500 : 200));
    clock.advance(10_000);
    expect(available()).toBe('abcdef');
  });
});

describe('failure percentage', () => {
  it('puts aside who fails more often than the threshold', () => {
    const { answer, available, clock } = watched(['a', 'b', 'c'], {
      consecutive5xx: 0,
      failurePercentage: { minimumHosts: 2, requestVolume: 10, threshold: 50 },
    });
    answer('a', ...times(6, 200), ...times(5, 500));
    answer('b', ...times(5, 200), ...times(5, 500));
    answer('c', ...times(9, 500));
    clock.advance(10_000);
    expect(available()).toBe('ac');
  });
});

describe('a new configuration', () => {
  it('of the same policy keeps who is out, and forgets who is gone', () => {
    const { answer, cluster, breakers, available } = watched(['a', 'b', 'c'], { consecutive5xx: 1 });
    answer('a', 500);
    const config = cluster.config;
    breakers.follow(new Map([['reviews', { ...cluster, config: { ...config, connectTimeoutMs: 1 } }]]));
    expect(available()).toBe('bc');
  });

  it('without the policy brings everybody back and sets no timer', () => {
    const { answer, cluster, breakers, available, clock } = watched(['a', 'b'], { consecutive5xx: 1 });
    answer('a', 500);
    expect(clock.waiting).toBe(1);
    breakers.follow(new Map([['reviews', { ...cluster, config: { ...cluster.config, ejection: null } }]]));
    expect(available()).toBe('ab');
    expect(clock.waiting).toBe(0);
    expect(endpointNamed(cluster, 'a').watch).toBeNull();
  });
});
