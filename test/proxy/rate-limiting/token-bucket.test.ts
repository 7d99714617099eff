import { describe, expect, it } from 'vitest';
import { TokenBucket } from '../../../src/proxy/rate-limiting/token-bucket.js';
import { forChance } from '../../support/chance.js';

describe('token bucket', () => {
  it('begins full, and lets through what it saved up', () => {
    const bucket = new TokenBucket(3, 1 / 1_000, 0);
    expect([0, 0, 0, 0].map((at) => bucket.take(at))).toEqual([true, true, true, false]);
    expect(bucket.untilNext(0)).toBe(1_000);
    expect(bucket.take(999)).toBe(false);
    expect(bucket.take(1_000)).toBe(true);
    expect(bucket.left(60_000)).toBe(3);
  });

  it('never lets more through than its burst and what came since', () => {
    forChance(50, (chance) => {
      const burst = 1 + chance.below(20);
      const perMs = (1 + chance.below(50)) / 1_000;
      const bucket = new TokenBucket(burst, perMs, 0);
      let now = 0;
      let through = 0;
      for (let step = 0; step < 500; step++) {
        now += chance.below(30);
        if (bucket.take(now)) through++;
        expect(through).toBeLessThanOrEqual(burst + now * perMs + 1e-6);
      }
    });
  });
});
