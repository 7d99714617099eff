import { describe, expect, it } from 'vitest';
import { ACCRUAL_DEFAULTS, type FailureAccrual } from '../../../src/model/cluster.js';
import { seededRandom } from '../../../src/platform/random.js';
import { type BreakerEvent, Breakers } from '../../../src/proxy/circuit-breaking/breakers.js';
import type { EndpointState } from '../../../src/proxy/pipeline/cluster.js';
import { clusterAtWork, endpointNamed } from '../../support/clusters.js';
import { FakeClock } from '../../support/fake-clock.js';

function breakerOf(policy: Partial<FailureAccrual>): {
  clock: FakeClock;
  endpoint: EndpointState;
  events: BreakerEvent[];
} {
  const clock = new FakeClock();
  const random = seededRandom(1, 'test');
  const events: BreakerEvent[] = [];
  const ejection = { ...ACCRUAL_DEFAULTS, jitterRatio: 0, ...policy };
  const cluster = clusterAtWork(['a', 'b'], { ejection }, { clock, random });
  new Breakers({ clock, random, onEvent: (event) => events.push(event) }).follow(new Map([['reviews', cluster]]));
  return { clock, endpoint: endpointNamed(cluster, 'a'), events };
}

const fail = ({ watch }: EndpointState, n: number): void => {
  for (let i = 0; i < n; i++) watch?.ended(503);
};

describe('failure accrual', () => {
  it('leaves an endpoint alone after seven failures in a row', () => {
    const { endpoint, events } = breakerOf({});
    fail(endpoint, 6);
    endpoint.watch?.ended(200);
    fail(endpoint, 6);
    expect(endpoint.available).toBe(true);
    fail(endpoint, 1);
    expect(endpoint.available).toBe(false);
    expect(events.map(({ kind, text }) => `${kind}: ${text}`)).toEqual([
      'opened: a (10.0.0.1:80) is left alone for 1.0 s: 7 failures in a row',
    ]);
  });

  it('lets one request try after the pause, and no second one meanwhile', () => {
    const { clock, endpoint, events } = breakerOf({});
    fail(endpoint, 7);
    clock.advance(999);
    expect(endpoint.available).toBe(false);
    clock.advance(1);
    expect(endpoint.available).toBe(true);
    endpoint.watch?.chosen();
    expect(endpoint.available).toBe(false);
    endpoint.watch?.ended(200);
    expect(endpoint.available).toBe(true);
    expect(events.map(({ kind }) => kind)).toEqual(['opened', 'probed', 'closed']);
  });

  it('doubles the pause with every probe that fails, up to the longest, and begins anew after a good one', () => {
    const { clock, endpoint, events } = breakerOf({ maxPenaltyMs: 3_000 });
    fail(endpoint, 7);
    for (const pause of [1_000, 2_000, 3_000, 3_000]) {
      clock.advance(pause - 1);
      expect(endpoint.available).toBe(false);
      clock.advance(1);
      expect(endpoint.available).toBe(true);
      endpoint.watch?.chosen();
      endpoint.watch?.ended('connect_failure');
    }
    clock.advance(3_000);
    endpoint.watch?.chosen();
    endpoint.watch?.ended(204);
    fail(endpoint, 7);
    expect(events.at(-1)?.text).toContain('for 1.0 s');
  });

  it('gives the probe to another request when its caller leaves', () => {
    const { clock, endpoint } = breakerOf({});
    fail(endpoint, 7);
    clock.advance(1_000);
    endpoint.watch?.chosen();
    endpoint.watch?.ended('client_gone');
    expect(endpoint.available).toBe(true);
    endpoint.watch?.chosen();
    expect(endpoint.available).toBe(false);
  });

  it('adds jitter to the pause', () => {
    const { clock, endpoint } = breakerOf({ jitterRatio: 0.5 });
    fail(endpoint, 7);
    clock.advance(1_000);
    expect(endpoint.available).toBe(false);
    clock.advance(500);
    expect(endpoint.available).toBe(true);
  });

  it('opens on a low success rate where that counts, with enough requests, and counts 429 then', () => {
    const successRate = { threshold: 0.8, windowMs: 10_000, minimumRequests: 5 };
    const { endpoint, clock } = breakerOf({ maxFailures: 0, successRate });
    for (const status of [200, 429, 200, 200]) endpoint.watch?.ended(status);
    expect(endpoint.available).toBe(true);
    endpoint.watch?.ended(200);
    expect(endpoint.available).toBe(true);
    endpoint.watch?.ended(500);
    expect(endpoint.available).toBe(false);
    const old = breakerOf({ maxFailures: 0, successRate });
    for (const status of [500, 500, 500, 500]) old.endpoint.watch?.ended(status);
    old.clock.advance(10_001);
    old.endpoint.watch?.ended(500);
    expect(old.endpoint.available).toBe(true);
    expect(clock.waiting).toBe(1);
  });

  it('hears no late answers of requests from before it opened', () => {
    const { endpoint, clock, events } = breakerOf({});
    fail(endpoint, 7);
    endpoint.watch?.ended(200);
    fail(endpoint, 7);
    expect(events.length).toBe(1);
    expect(clock.waiting).toBe(1);
  });
});
