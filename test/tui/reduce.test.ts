import { describe, expect, it } from 'vitest';
import type { Action } from '../../src/tui/store/actions.js';
import { effectOf, nextRate } from '../../src/tui/store/effects.js';
import { reduce } from '../../src/tui/store/reduce.js';
import { initialState, MAX_EXCHANGES, MAX_NOTICES } from '../../src/tui/store/state.js';
import { selectedIndex, visibleExchanges } from '../../src/tui/store/tap.js';
import { topologyRows } from '../../src/tui/store/topology.js';
import { exchange, FAILED, fault, INNER, NOW, status } from './support/sample.js';
import { pressed, reduceAll, sampleState } from './support/states.js';

const SIZE = { cols: 80, rows: 24 };
const exchanges = (from: number, to: number): Action => ({
  type: 'event',
  event: { type: 'exchanges', exchanges: Array.from({ length: to - from }, (_, i) => exchange(from + i)), dropped: 1 },
});

describe('lists', () => {
  it('keeps the newest requests only, and each once', () => {
    const empty = initialState('x', false, SIZE, NOW);
    const { tap } = reduceAll(empty, [exchanges(0, 400), exchanges(300, 700), exchanges(690, 700)]);
    expect(tap.exchanges).toHaveLength(MAX_EXCHANGES);
    expect(tap.exchanges.at(-1)?.id).toBe('gateway/699');
    expect(new Set(tap.exchanges.map(({ id }) => id)).size).toBe(MAX_EXCHANGES);
    expect(tap.dropped).toBe(3);
  });

  it('keeps the newest notices only, and none twice', () => {
    const notices = Array.from({ length: MAX_NOTICES + 20 }, (_, at): Action => {
      return { type: 'event', event: { type: 'notice', notice: { at, level: 'info', text: `n${at}` } } };
    });
    const state = reduceAll(initialState('x', false, SIZE, NOW), [...notices, ...notices.slice(-5)]);
    expect(state.mesh.notices).toHaveLength(MAX_NOTICES);
    expect(state.mesh.notices.at(-1)?.text).toBe(`n${MAX_NOTICES + 19}`);
  });

  it('ignores events of a newer control plane', () => {
    const state = sampleState();
    const unknown = { type: 'event', event: { type: 'weather', rain: true } } as unknown as Action;
    expect(reduce(state, unknown).mesh).toEqual(state.mesh);
  });

  it('moves the cursor back when the list gets shorter under it', () => {
    const state = pressed(sampleState(), '3', 'down');
    expect(state.cursor.faults).toBe(1);
    expect(reduce(state, { type: 'event', event: { type: 'faults', faults: [fault('f1')] } }).cursor.faults).toBe(0);
    expect(reduce(state, { type: 'event', event: { type: 'faults', faults: [] } }).cursor.faults).toBe(0);
  });
});

describe('requests', () => {
  const requests = pressed(sampleState(), '2');

  it('shows one row per request, or every hop', () => {
    const ids = visibleExchanges(requests.tap).map(({ id }) => id);
    expect(ids).not.toContain(INNER.id);
    expect(visibleExchanges(pressed(requests, 'h').tap).map(({ id }) => id)).toContain(INNER.id);
  });

  it('follows the newest until one is chosen, then holds on to it', () => {
    const later = reduce(requests, exchanges(50, 53));
    expect(selectedIndex(later.tap, visibleExchanges(later.tap))).toBe(0);
    const chosen = pressed(requests, 'down');
    const held = reduce(chosen, exchanges(50, 53));
    const visible = visibleExchanges(held.tap);
    expect(selectedIndex(held.tap, visible)).toBe(4);
    expect(visible[4]?.id).toBe(chosen.tap.selected);
    expect(pressed(held, 'escape').tap.selected).toBeNull();
  });

  it('freezes what is on screen and loses nothing', () => {
    const paused = reduce(pressed(requests, 'p'), exchanges(50, 53));
    expect(visibleExchanges(paused.tap)).toHaveLength(4);
    expect(visibleExchanges(pressed(paused, 'p').tap)).toHaveLength(7);
  });

  it('filters while the text is typed, and the other way round with !', () => {
    const typing = pressed(requests, '/', '5', '0', 'x', 'backspace', '3');
    expect(visibleExchanges(typing.tap)).toEqual([FAILED]);
    const applied = pressed(typing, 'enter');
    expect(applied.tap).toMatchObject({ typing: null, filter: '503' });
    expect(visibleExchanges(pressed(requests, '/', '!', '5', '0', '3', 'enter').tap)).not.toContain(FAILED);
    expect(pressed(applied, '/', 'y', 'escape').tap.filter).toBe('503');
    expect(pressed(applied, 'escape').tap.filter).toBe('');
  });

  it('drops the answer for a request that is no longer open', () => {
    const open = pressed(requests, 'enter');
    expect(open.detail?.requestId).toBe('req-4');
    expect(reduce(open, { type: 'trace-failed', requestId: 'req-1', reason: 'gone' }).detail?.error).toBeNull();
    expect(reduce(open, { type: 'trace-failed', requestId: 'req-4', reason: 'gone' }).detail?.error).toBe('gone');
    expect(pressed(open, 'escape').detail).toBeNull();
  });
});

describe('topology', () => {
  it('is a tree of calls from the gateway, each caller once, what nobody calls at the end', () => {
    const rows = topologyRows(sampleState().mesh).map(({ trunk, label }) => `${' '.repeat(trunk.length)}${label}`);
    expect(rows).toEqual([
      'gateway',
      ' productpage-v1',
      '  details-v1',
      '  reviews',
      '   reviews-v1',
      '   reviews-v2',
      '    ratings-v1',
      'reviews-v3',
    ]);
  });

  it('ends when services call each other in a ring', () => {
    const state = sampleState();
    const [first] = state.mesh.edges;
    const ring = { ...first!, source: 'ratings-v1', service: 'productpage', destination: 'productpage-v1' };
    const rows = topologyRows({ ...state.mesh, edges: [...state.mesh.edges, ring] });
    expect(rows.filter(({ label }) => label === 'productpage-v1')).toHaveLength(2);
  });
});

describe('connection', () => {
  it('counts from the first break and recovers', () => {
    const broken = reduceAll(sampleState(), [
      { type: 'disconnected', now: NOW + 1000 },
      { type: 'disconnected', now: NOW + 1500 },
    ]);
    expect(broken.connection).toEqual({ kind: 'broken', since: NOW + 1000 });
    expect(reduce(broken, { type: 'connected', now: NOW + 2000 }).connection.kind).toBe('live');
  });
});

describe('effects', () => {
  it('asks before it leaves a sandbox of its own', () => {
    expect(effectOf(sampleState(SIZE, false), 'quit')).toEqual({ kind: 'leave', outcome: 'detach' });
    const owned = sampleState(SIZE, true);
    expect(effectOf(owned, 'quit')).toBeNull();
    const asking = pressed(owned, 'q');
    expect(effectOf(asking, 'quit-detach')).toEqual({ kind: 'leave', outcome: 'detach' });
    expect(effectOf(asking, 'quit-down')).toEqual({ kind: 'leave', outcome: 'down' });
    expect(pressed(asking, 'escape').dialog).toBeNull();
  });

  it('breaks what the eye is on', () => {
    const chosen = pressed(sampleState(), 'down', 'down', 'down', 'down', 'down', 'f', 'enter', 'down');
    expect(effectOf(chosen, 'choose')).toMatchObject({
      call: { name: 'addFault', request: { to: 'reviews-v2', abort: 503, first: 3 } },
    });
    expect(effectOf(chosen, 'choose-4')).toMatchObject({ call: { request: { reset: true, percent: 30 } } });
  });

  it('switches and removes the chosen fault', () => {
    const second = pressed(sampleState(), '3', 'down');
    expect(effectOf(second, 'toggle-fault')).toMatchObject({ call: { request: { name: 'f2', enabled: true } } });
    expect(effectOf(second, 'delete-fault')).toMatchObject({ call: { name: 'removeFault', request: { name: 'f2' } } });
    expect(effectOf(second, 'clear-faults')).toMatchObject({ call: { name: 'clearFaults' } });
  });

  it('switches features from what the mesh says they are', () => {
    expect(effectOf(sampleState(), 'toggle-retries')).toMatchObject({ call: { request: { retries: false } } });
    expect(effectOf(sampleState(), 'cycle-mtls')).toMatchObject({ call: { request: { mtls: 'strict' } } });
    const features = { mtls: 'strict', retries: false } as const;
    const strict = reduce(sampleState(), { type: 'event', event: { type: 'status', status: status({ features }) } });
    expect(effectOf(strict, 'cycle-mtls')).toMatchObject({ call: { request: { mtls: 'disable' } } });
    expect(effectOf(strict, 'toggle-retries')).toMatchObject({ call: { request: { retries: true } } });
    expect(effectOf(initialState('x', false, SIZE, NOW), 'toggle-retries')).toBeNull();
  });

  it('changes the load in steps', () => {
    expect(effectOf(sampleState(), 'load-up')).toMatchObject({ call: { request: { rps: 10 } } });
    expect([
      nextRate(0, false),
      nextRate(0, true),
      nextRate(7, false),
      nextRate(7, true),
      nextRate(9999, true),
    ]).toEqual([0, 1, 5, 10, 9999]);
  });
});
