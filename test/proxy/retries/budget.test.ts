import { describe, expect, it } from 'vitest';
import { CLUSTER_DEFAULTS, type Cluster } from '../../../src/model/cluster.js';
import { ClusterLoad, type RetryGate } from '../../../src/proxy/pipeline/cluster.js';
import { retryGate } from '../../../src/proxy/retries/budget.js';
import { forChance } from '../../support/chance.js';
import { FakeClock } from '../../support/fake-clock.js';

function gateOf(policy: Partial<Cluster>): { gate: RetryGate; load: ClusterLoad; clock: FakeClock } {
  const load = new ClusterLoad();
  const clock = new FakeClock();
  return { gate: retryGate({ ...CLUSTER_DEFAULTS, ...policy } as Cluster, load, clock), load, clock };
}

const admitted = (gate: RetryGate, n: number): number =>
  Array.from({ length: n }, () => gate.admit()).filter(Boolean).length;

describe('without a budget', () => {
  it('every retry may go out', () => {
    expect(admitted(gateOf({}).gate, 1_000)).toBe(1_000);
  });

  it('no more than the limit at once', () => {
    const { gate } = gateOf({ limits: { ...CLUSTER_DEFAULTS.limits, maxRetries: 3 } });
    expect(admitted(gate, 10)).toBe(3);
    gate.ended();
    expect(admitted(gate, 10)).toBe(1);
  });
});

describe('a budget of what is under way', () => {
  it('is a share of the requests, and never less than the minimum', () => {
    const { gate, load } = gateOf({ retryBudget: { kind: 'concurrent', percent: 20, minimum: 3 } });
    expect(admitted(gate, 10)).toBe(3);
    load.requests = 40;
    load.pending = 10;
    expect(admitted(gate, 100)).toBe(7);
  });

  it('is never exceeded, whatever comes and goes', () => {
    forChance(50, (chance) => {
      const percent = chance.below(101);
      const minimum = chance.below(5);
      const { gate, load } = gateOf({ retryBudget: { kind: 'concurrent', percent, minimum } });
      for (let step = 0; step < 300; step++) {
        const what = chance.below(4);
        if (what === 0) load.requests++;
        else if (what === 1 && load.requests > 0) load.requests--;
        else if (what === 2 && load.retries > 0) gate.ended();
        else if (gate.admit())
          expect(load.retries).toBeLessThanOrEqual(Math.max(minimum, (load.requests * percent) / 100) + 1);
      }
    });
  });
});

describe('a budget over time', () => {
  const budget = { kind: 'rate', percent: 20, minimumPerSecond: 10, windowMs: 10_000 } as const;

  it('is a share of the requests of the window, and so many per second whatever comes', () => {
    const { gate } = gateOf({ retryBudget: budget });
    expect(admitted(gate, 1_000)).toBe(100);
    for (let i = 0; i < 500; i++) gate.began();
    expect(admitted(gate, 1_000)).toBe(100);
  });

  it('earns anew as time passes', () => {
    const { gate, clock } = gateOf({ retryBudget: { ...budget, minimumPerSecond: 0 } });
    for (let i = 0; i < 100; i++) gate.began();
    expect(admitted(gate, 50)).toBe(20);
    clock.advance(9_000);
    expect(admitted(gate, 50)).toBe(0);
    clock.advance(2_000);
    for (let i = 0; i < 50; i++) gate.began();
    expect(admitted(gate, 50)).toBe(10);
  });

  it('is never exceeded over any window', () => {
    forChance(20, (chance) => {
      const { gate, clock } = gateOf({ retryBudget: { ...budget, minimumPerSecond: 1 } });
      const requests: number[] = [];
      const retries: number[] = [];
      for (let step = 0; step < 2_000; step++) {
        clock.advance(chance.below(40));
        const now = clock.monotonic();
        const lately = (moments: number[], ms: number) => moments.filter((at) => at > now - ms).length;
        if (chance.below(2) === 0) {
          gate.began();
          requests.push(now);
        } else if (gate.admit()) {
          retries.push(now);
          expect(lately(retries, 10_000)).toBeLessThanOrEqual(lately(requests, 10_000) * 0.2 + 10);
        }
      }
      expect(retries.length).toBeGreaterThan(50);
    });
  });
});
