import type { Size } from '../../../src/tui/frame.js';
import { actionOf } from '../../../src/tui/keymap/dispatch.js';
import type { Action } from '../../../src/tui/store/actions.js';
import { reduce } from '../../../src/tui/store/reduce.js';
import { initialState, type State } from '../../../src/tui/store/state.js';
import { EXPLANATION, INNER, NOW, RETRIED, SAMPLE_EVENTS } from './sample.js';

export function reduceAll(state: State, actions: readonly Action[]): State {
  return actions.reduce(reduce, state);
}

/** A screen that has been told everything of the sample mesh. */
export function sampleState(size: Size = { cols: 80, rows: 24 }, owned = true): State {
  return reduceAll(initialState('bookinfo', owned, size, NOW), [
    { type: 'connected', now: NOW },
    ...SAMPLE_EVENTS.map((event): Action => ({ type: 'event', event })),
  ]);
}

/** The state after keys were pressed, without what they ask of the mesh. */
export function pressed(state: State, ...keys: readonly string[]): State {
  return keys.reduce((before, key) => {
    const action = actionOf(before, key);
    return action === null ? before : reduce(before, action);
  }, state);
}

/** The request with retries, opened and answered. */
export function detailState(size: Size): State {
  const { requestId, traceId } = RETRIED;
  const open = pressed(sampleState(size), '2', 'down', 'enter');
  const trace = { requestId, traceId, exchanges: [RETRIED, INNER] };
  return reduce(open, { type: 'trace-loaded', trace, explanation: EXPLANATION });
}

/** Every screen and dialog by name. */
export function allScreens(size: Size): Readonly<Record<string, State>> {
  const state = sampleState(size);
  return {
    empty: initialState('bookinfo', false, size, NOW),
    topology: pressed(state, 'down', 'down', 'down', 'down', 'down'),
    requests: pressed(state, '2', 'down'),
    hops: pressed(state, '2', 'h', 'p'),
    filter: pressed(state, '2', '/', '5', '0', '3'),
    detail: detailState(size),
    faults: pressed(state, '3'),
    workloads: pressed(state, '4', 'down', 'down'),
    events: pressed(state, '5'),
    help: pressed(state, '?'),
    'fault-target': pressed(state, 'f'),
    'fault-preset': pressed(state, 'f', 'down', 'enter'),
    quit: pressed(state, 'q'),
    broken: reduceAll(state, [
      { type: 'disconnected', now: NOW },
      { type: 'tick', now: NOW + 7000 },
    ]),
  };
}
