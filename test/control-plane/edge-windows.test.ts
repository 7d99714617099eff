import { describe, expect, it } from 'vitest';
import { EdgeWindows } from '../../src/control-plane/telemetry/edge-windows.js';
import { ExchangeStore } from '../../src/control-plane/telemetry/exchange-store.js';
import { bucketOf } from '../../src/model/histogram.js';
import type { EdgeDelta } from '../../src/model/metrics.js';
import { FakeClock } from '../support/fake-clock.js';
import { exchange } from '../tui/support/sample.js';

function delta(overrides: Partial<EdgeDelta> = {}): EdgeDelta {
  return {
    direction: 'outbound',
    source: 'web',
    sourcePrincipal: '',
    service: 'ratings',
    destination: 'ratings-v1',
    destinationPrincipal: '',
    code: 200,
    flags: '-',
    security: 'mutual_tls',
    protocol: 'http',
    requests: 1,
    latency: [bucketOf(10), 1],
    sumMs: 10,
    requestBytes: 0,
    responseBytes: 0,
    ...overrides,
  };
}

describe('live figures of an edge', () => {
  it('are the rate and the share of the last ten seconds, and fade with them', () => {
    const clock = new FakeClock();
    const windows = new EdgeWindows(clock);
    for (let second = 0; second < 20; second++) {
      windows.add([delta({ requests: 8 }), delta({ requests: 2, code: 503, flags: 'UC' })], []);
      clock.advance(1_000);
    }
    const [edge] = windows.stats();
    expect(edge?.rps).toBeCloseTo(10, 0);
    expect(edge?.successRate).toBeCloseTo(0.8);
    clock.advance(60_000);
    expect(windows.stats()[0]).toMatchObject({ rps: 0, successRate: null });
  });

  it('count a request once, by its caller; the callee counts only strangers', () => {
    const windows = new EdgeWindows(new FakeClock());
    windows.add([delta(), delta({ direction: 'inbound' }), delta({ direction: 'inbound', source: 'unknown' })], []);
    expect(windows.stats().map(({ source, rps }) => [source, rps])).toEqual([
      ['web', 1],
      ['unknown', 1],
    ]);
  });

  it('tell tries from requests', () => {
    const windows = new EdgeWindows(new FakeClock());
    const attempts = {
      source: 'web',
      service: 'ratings',
      destination: 'ratings-v1',
      attempts: 15,
      failures: 5,
      retries: 5,
    };
    windows.add([delta({ requests: 10, latency: [bucketOf(10), 10] })], [attempts]);
    const [edge] = windows.stats();
    expect(edge).toMatchObject({ rps: 10, successRate: 1, attemptsPerSecond: 15, retriesPerSecond: 5 });
    expect(edge?.attemptSuccessRate).toBeCloseTo(2 / 3);
    expect(edge?.p50Ms).toBeGreaterThan(9);
    expect(edge?.p99Ms).toBeLessThan(11);
  });

  it('say what crossed encrypted, of what crossed at all', () => {
    const windows = new EdgeWindows(new FakeClock());
    const refused = delta({ security: 'none', flags: 'UH', code: 503 });
    windows.add([refused], []);
    expect(windows.stats()[0]?.mtlsShare).toBeNull();
    windows.add([refused, delta({ requests: 3 })], []);
    expect(windows.stats()[0]?.mtlsShare).toBe(1);
    windows.add([delta({ security: 'none' })], []);
    expect(windows.stats()[0]?.mtlsShare).toBe(0.75);
  });
});

describe('the store of exchanges', () => {
  const filled = (): { store: ExchangeStore; clock: FakeClock } => {
    const clock = new FakeClock();
    const store = new ExchangeStore(clock);
    return { store, clock };
  };

  it('finds all hops of a request in order, by request id and by trace id', () => {
    const { store } = filled();
    const hops = [3, 1, 2].map((n) => exchange(n, { id: `a/${n}`, requestId: 'r', traceId: 't', startedAt: n }));
    store.add(hops);
    for (const id of ['r', 't'])
      expect(store.trace(id)?.exchanges.map(({ startedAt }) => startedAt)).toEqual([1, 2, 3]);
    expect(store.trace('other')).toBeNull();
  });

  it('calls the last request the newest that had time to be reported whole', () => {
    const { store, clock } = filled();
    store.add([exchange(0, { requestId: 'first', parentSpanId: '' })]);
    clock.advance(400);
    store.add([exchange(0, { requestId: 'second', parentSpanId: '' })]);
    clock.advance(200);
    expect(store.trace('last')?.requestId).toBe('first');
    clock.advance(400);
    expect(store.trace('last')?.requestId).toBe('second');
  });

  it('keeps the newest and forgets the oldest, whole', () => {
    const { store } = filled();
    for (let n = 0; n < 26_000; n++) store.add([exchange(0, { id: `a/${n}`, requestId: `r${n}` })]);
    expect(store.trace('r0')).toBeNull();
    expect(store.trace('r25999')?.requestId).toBe('r25999');
    expect(store.find({ limit: 5_000 }).length).toBe(5_000);
  });

  it('filters by what is asked, newest last', () => {
    const { store } = filled();
    store.add([
      exchange(0, { requestId: 'a', response: { status: 200, bytes: 0 } }),
      exchange(0, { requestId: 'b', response: { status: 503, bytes: 0 }, flags: ['UH'] }),
      exchange(0, { requestId: 'c', response: { status: 503, bytes: 0 } }),
    ]);
    const ids = (filter: object) => store.find(filter).map(({ requestId }) => requestId);
    expect(ids({ status: 503 })).toEqual(['b', 'c']);
    expect(ids({ flag: 'UH' })).toEqual(['b']);
    expect(ids({ requestId: 'a' })).toEqual(['a']);
    expect(ids({ limit: 1 })).toEqual(['c']);
    expect(ids({ to: 'nobody' })).toEqual([]);
  });
});
