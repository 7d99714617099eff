import { describe, expect, it } from 'vitest';
import {
  type Balancing,
  type BalancingAlgorithm,
  CLUSTER_DEFAULTS,
  type Endpoint,
} from '../../../src/model/cluster.js';
import { seededRandom } from '../../../src/platform/random.js';
import type { ClusterState } from '../../../src/proxy/pipeline/cluster.js';
import { forChance } from '../../support/chance.js';
import { attemptAt, clusterAtWork, endpointNamed, shares } from '../../support/clusters.js';
import { FakeClock } from '../../support/fake-clock.js';

const clock = new FakeClock();
const LEAST: BalancingAlgorithm = { kind: 'least-request', choices: 2 };

function cluster(
  names: readonly string[],
  balancing: Partial<Balancing>,
  details?: (name: string) => Partial<Endpoint>,
  at = clock,
  seed = 1,
): ClusterState {
  const policy = { balancing: { ...CLUSTER_DEFAULTS.balancing, ...balancing } };
  return clusterAtWork(names, policy, { clock: at, random: seededRandom(seed, 'test') }, details);
}

/** Holds for a share of n draws in all but one of ten thousand cases (normal approximation, 3.9 deviations). */
function expectShare(count: number | undefined, n: number, share: number): void {
  expect(Math.abs((count ?? 0) - n * share)).toBeLessThanOrEqual(3.9 * Math.sqrt(n * share * (1 - share)) + 1);
}

describe('round robin', () => {
  it('gives every endpoint its turn, exactly', () => {
    const abc = cluster(['a', 'b', 'c'], { algorithm: { kind: 'round-robin' } });
    expect(shares(abc, 300)).toEqual({ a: 100, b: 100, c: 100 });
  });

  it('gives turns by weight, spread out', () => {
    const weighted = cluster(['a', 'b', 'c'], { algorithm: { kind: 'round-robin' } }, (name) => ({
      weight: { a: 5, b: 1, c: 1 }[name] ?? 1,
    }));
    const order = Array.from(
      { length: 7 },
      (_, n) => weighted.picker.pick(attemptAt(weighted, `${n}`), 0)?.config.workload,
    );
    expect(order.join('')).toBe('aabacaa');
  });
});

describe('random', () => {
  it('is even, or as the weights say', () => {
    expectShare(shares(cluster(['a', 'b'], { algorithm: { kind: 'random' } }), 4_000)['a'], 4_000, 0.5);
    const weighted = cluster(['a', 'b'], { algorithm: { kind: 'random' } }, (name) => ({
      weight: name === 'a' ? 3 : 1,
    }));
    expectShare(shares(weighted, 4_000)['a'], 4_000, 0.75);
  });
});

describe('least request', () => {
  it('is even among equals, whatever the seed', () => {
    forChance(10, (chance) => {
      const equals = cluster(['a', 'b', 'c', 'd'], { algorithm: LEAST }, undefined, clock, chance.below(2 ** 31));
      for (const count of Object.values(shares(equals, 4_000))) expectShare(count, 4_000, 0.25);
    });
  });

  // Envoy draws each of its two from all, so that it may draw one twice.
  it('takes the idle one of three whenever it is drawn, and the busiest where it is drawn twice', () => {
    const three = cluster(['busy', 'some', 'idle'], { algorithm: LEAST });
    endpointNamed(three, 'busy').active = 9;
    endpointNamed(three, 'some').active = 3;
    const { busy, idle, some } = shares(three, 6_000);
    expectShare(busy, 6_000, 1 / 9);
    expectShare(some, 6_000, 3 / 9);
    expectShare(idle, 6_000, 5 / 9);
  });

  it('of two gives the busy one a quarter', () => {
    const two = cluster(['busy', 'idle'], { algorithm: LEAST });
    endpointNamed(two, 'busy').active = 1;
    expectShare(shares(two, 4_000)['busy'], 4_000, 1 / 4);
  });

  it('with more choices meets the idle one more often', () => {
    const four = cluster(['a', 'b', 'c', 'idle'], { algorithm: { kind: 'least-request', choices: 8 } });
    for (const name of ['a', 'b', 'c']) endpointNamed(four, name).active = 5;
    expectShare(shares(four, 3_000)['idle'], 3_000, 1 - 0.75 ** 8);
  });

  it('with weights divides them by what is in flight', () => {
    const two = cluster(['a', 'b'], { algorithm: LEAST }, (name) => ({ weight: name === 'a' ? 2 : 1 }));
    expectShare(shares(two, 4_000)['a'], 4_000, 2 / 3);
    endpointNamed(two, 'a').active = 3;
    expectShare(shares(two, 4_000)['a'], 4_000, 1 / 3);
  });
});

describe('the same seed and request', () => {
  it.each<BalancingAlgorithm>([{ kind: 'random' }, LEAST, { kind: 'peak-ewma', defaultRttMs: 30, decayMs: 10_000 }])(
    'meet the same endpoint: $kind',
    (algorithm) => {
      const all = (seed: number) => {
        const abc = cluster(['a', 'b', 'c'], { algorithm }, undefined, clock, seed);
        return Array.from({ length: 60 }, (_, n) => abc.picker.pick(attemptAt(abc, `${n}`), 0)?.config.workload);
      };
      expect(all(7)).toEqual(all(7));
      expect(all(7)).not.toEqual(all(8));
    },
  );
});

describe('peak EWMA', () => {
  const algorithm: BalancingAlgorithm = { kind: 'peak-ewma', defaultRttMs: 30, decayMs: 10_000 };

  it('leaves the slow one of two alone', () => {
    const two = cluster(['fast', 'slow'], { algorithm });
    endpointNamed(two, 'slow').latency?.observe(400);
    endpointNamed(two, 'fast').latency?.observe(5);
    expect(shares(two, 200)).toEqual({ fast: 200 });
  });

  it('weighs latency against what is in flight', () => {
    const two = cluster(['fast', 'slow'], { algorithm });
    endpointNamed(two, 'fast').latency?.observe(100);
    endpointNamed(two, 'slow').latency?.observe(250);
    endpointNamed(two, 'fast').active = 1;
    expect(shares(two, 50)).toEqual({ fast: 50 });
    endpointNamed(two, 'fast').active = 2;
    expect(shares(two, 50)).toEqual({ slow: 50 });
  });

  it('follows a peak at once, falls slowly, and forgets', () => {
    const at = new FakeClock();
    const estimate = endpointNamed(cluster(['a', 'b'], { algorithm }, undefined, at), 'a').latency;
    estimate?.observe(1_000);
    expect(estimate?.read()).toBe(1_000);
    at.advance(1_000);
    estimate?.observe(10);
    expect(estimate?.read()).toBeCloseTo(10 * (1 - Math.exp(-0.1)) + 1_000 * Math.exp(-0.1), 6);
    at.advance(100_000);
    expect(estimate?.read()).toBeLessThan(0.1);
  });
});

const RING: BalancingAlgorithm = { kind: 'ring-hash', minimumRingSize: 1024, maximumRingSize: 8_388_608 };
const MAGLEV: BalancingAlgorithm = { kind: 'maglev', tableSize: 65_537 };

describe.each([RING, MAGLEV])('consistent hashing: $kind', (algorithm) => {
  const SPREAD = 2n ** 64n / 997n;
  const byHash = (state: ClusterState) => (n: number) => attemptAt(state, 'x', { hash: BigInt(n % 997) * SPREAD });
  const where = (state: ClusterState) =>
    Array.from({ length: 997 }, (_, n) => state.picker.pick(byHash(state)(n), 0)?.config.workload);

  it('sends the same hash to the same endpoint, whatever the request', () => {
    const abc = cluster(['a', 'b', 'c'], { algorithm });
    for (let n = 0; n < 20; n++) {
      const hash = BigInt(n) * SPREAD;
      const met = new Set(
        ['r1', 'r2', 'r3'].map((id) => abc.picker.pick(attemptAt(abc, id, { hash }), 0)?.config.workload),
      );
      expect(met.size).toBe(1);
    }
  });

  it('spreads hashes over all of them', () => {
    const count = shares(cluster(['a', 'b', 'c'], { algorithm }), 997, (n) =>
      attemptAt(cluster([], {}), 'x', { hash: BigInt(n) * SPREAD }),
    );
    for (const name of ['a', 'b', 'c']) expect(count[name]).toBeGreaterThan(220);
  });

  it('moves little between those that stay when one leaves', () => {
    const before = cluster(['a', 'b', 'c', 'd'], { algorithm });
    const then = where(before);
    endpointNamed(before, 'd').available = false;
    before.picker.availabilityChanged();
    const now = where(before);
    const moved = then.filter((name, i) => name !== 'd' && name !== now[i]).length;
    // Maglev trades a little disruption for evenness (NSDI 2016, §5.3); the ring gets more points per endpoint so that it
    // stays as large, a third of 1024 instead of a quarter.
    expect(moved).toBeLessThanOrEqual(algorithm.kind === 'maglev' ? 40 : 997 * 0.12);
    expect(now).not.toContain('d');
  });

  it('goes elsewhere when the choice is thrown away', () => {
    const abc = cluster(['a', 'b', 'c'], { algorithm });
    const attempt = attemptAt(abc, 'x', { hash: 42n });
    const met = new Set(Array.from({ length: 40 }, (_, draw) => abc.picker.pick(attempt, draw)?.config.workload));
    expect(met.size).toBeGreaterThan(1);
  });

  it('gives more hashes to those that weigh more', () => {
    const two = cluster(['a', 'b'], { algorithm }, (name) => ({ weight: name === 'a' ? 3 : 1 }));
    const count = shares(two, 997, byHash(two));
    expect((count['a'] ?? 0) / 997).toBeGreaterThan(0.65);
    expect((count['a'] ?? 0) / 997).toBeLessThan(0.85);
  });

  it('chooses by chance without a hash', () => {
    const two = cluster(['a', 'b'], { algorithm });
    const count = shares(two, 400);
    expect(Math.min(count['a'] ?? 0, count['b'] ?? 0)).toBeGreaterThan(100);
  });
});

describe('availability', () => {
  it('is asked for nobody when nobody is available', () => {
    const two = cluster(['a', 'b'], {});
    for (const endpoint of two.endpoints) endpoint.available = false;
    two.picker.availabilityChanged();
    expect(two.picker.pick(attemptAt(two, 'x'), 0)).toBeNull();
    expect(cluster([], {}).picker.pick(attemptAt(two, 'x'), 0)).toBeNull();
  });

  it('is ignored below the panic threshold', () => {
    const five = cluster(['a', 'b', 'c', 'd', 'e'], { panicPercent: 50 });
    for (const name of ['a', 'b', 'c']) endpointNamed(five, name).available = false;
    five.picker.availabilityChanged();
    expect(Object.keys(shares(five, 500)).sort()).toEqual(['a', 'b', 'c', 'd', 'e']);
    endpointNamed(five, 'c').available = true;
    five.picker.availabilityChanged();
    expect(Object.keys(shares(five, 500)).sort()).toEqual(['c', 'd', 'e']);
  });

  it('panics with nobody left, where the threshold allows it', () => {
    const two = cluster(['a', 'b'], { panicPercent: 1 });
    for (const endpoint of two.endpoints) endpoint.available = false;
    two.picker.availabilityChanged();
    expect(Object.keys(shares(two, 100)).sort()).toEqual(['a', 'b']);
  });
});

describe('priorities', () => {
  const priority = (name: string): Partial<Endpoint> => ({ priority: name.startsWith('far') ? 1 : 0 });

  it('leave the second level alone while the first is healthy enough (1.4 times over)', () => {
    const both = cluster(['a', 'b', 'c', 'd', 'far'], {}, priority);
    expect(Object.keys(shares(both, 200)).sort()).toEqual(['a', 'b', 'c', 'd']);
    endpointNamed(both, 'a').available = false;
    both.picker.availabilityChanged();
    expect(Object.keys(shares(both, 200)).sort()).toEqual(['b', 'c', 'd']);
  });

  it('flow over to the second level as the first fails', () => {
    const both = cluster(['a', 'b', 'far1', 'far2'], {}, priority);
    endpointNamed(both, 'a').available = false;
    both.picker.availabilityChanged();
    const count = shares(both, 4_000);
    expectShare(count['b'], 4_000, 0.7);
    expectShare((count['far1'] ?? 0) + (count['far2'] ?? 0), 4_000, 0.3);
    endpointNamed(both, 'b').available = false;
    both.picker.availabilityChanged();
    expect(Object.keys(shares(both, 200)).sort()).toEqual(['far1', 'far2']);
  });
});

describe('localities', () => {
  const zone = (name: string): Partial<Endpoint> => ({ locality: name.slice(0, 2) });

  it('get their weights, whatever the number of their endpoints', () => {
    const spread = cluster(['z1a', 'z1b', 'z1c', 'z2a'], { localityWeights: { z1: 20, z2: 80 } }, zone);
    const count = shares(spread, 4_000);
    expectShare(count['z2a'], 4_000, 0.8);
  });

  it('lose their share as their endpoints fail', () => {
    const spread = cluster(['z1a', 'z1b', 'z2a', 'z2b'], { localityWeights: { z1: 50, z2: 50 } }, zone);
    endpointNamed(spread, 'z1a').available = false;
    spread.picker.availabilityChanged();
    expectShare(shares(spread, 4_000)['z1b'], 4_000, 35 / 85);
  });

  it('without a weight get nothing', () => {
    expect(shares(cluster(['z1a', 'z2a'], { localityWeights: { z1: 1 } }, zone), 100)).toEqual({ z1a: 100 });
  });
});

describe('slow start', () => {
  it('lets a new endpoint in little by little', () => {
    const at = new FakeClock();
    const slow = { slowStart: { windowMs: 60_000, minimumPercent: 10, aggression: 1 }, algorithm: LEAST };
    const two = cluster(['old', 'new'], slow, undefined, at);
    (endpointNamed(two, 'old') as { since: number }).since = -120_000;
    expectShare(shares(two, 4_000)['new'], 4_000, 0.1 / 1.1);
    at.advance(30_000);
    expectShare(shares(two, 4_000)['new'], 4_000, 0.5 / 1.5);
    at.advance(30_000);
    expectShare(shares(two, 4_000)['new'], 4_000, 0.5);
  });
});
