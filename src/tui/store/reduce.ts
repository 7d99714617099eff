import type { Action } from './actions.js';
import { reduceCommand } from './commands.js';
import { clampCursors } from './cursor.js';
import { reduceEvent } from './events.js';
import type { Detail, State } from './state.js';

/** The next state. Pure: no clock, no mesh; the same actions always lead to the same screen. */
export function reduce(state: State, action: Action): State {
  switch (action.type) {
    case 'event':
      return clampCursors(reduceEvent(state, action.event));
    case 'tick':
      return { ...state, now: action.now };
    case 'resize':
      return { ...state, size: action.size };
    case 'connected':
      return { ...state, now: action.now, connection: { kind: 'live', since: action.now } };
    case 'disconnected':
      return disconnected(state, action.now);
    case 'command':
      return clampCursors(reduceCommand(state, action.command));
    case 'typed':
      return typed(state, action.text);
    case 'scroll-limit':
      return scrollLimited(state, action.limit);
    case 'message':
      return { ...state, message: action.message };
    case 'trace-loaded': {
      const { trace, explanation } = action;
      return withDetail(state, trace.requestId, { trace, explanation, error: null });
    }
    case 'trace-failed':
      return withDetail(state, action.requestId, { error: action.reason });
  }
}

/** `since` counts from the first break, however many times reconnecting has failed. */
function disconnected(state: State, now: number): State {
  if (state.connection.kind === 'broken') return { ...state, now };
  return { ...state, now, connection: { kind: 'broken', since: now } };
}

function typed(state: State, text: string): State {
  const { tap } = state;
  if (tap.typing === null || tap.typing.length >= 80) return state;
  return { ...state, tap: { ...tap, typing: tap.typing + text, selected: null } };
}

/** Scrolling on at the end would have to be undone key by key. */
function scrollLimited(state: State, limit: number): State {
  const { detail, dialog } = state;
  if (dialog?.kind === 'help') return { ...state, dialog: { ...dialog, scroll: Math.min(dialog.scroll, limit) } };
  if (detail === null || detail.scroll <= limit) return state;
  return { ...state, detail: { ...detail, scroll: limit } };
}

/** An answer for a request that is no longer looked at is dropped. */
function withDetail(state: State, requestId: string, change: Partial<Detail>): State {
  const { detail } = state;
  if (detail === null || detail.requestId !== requestId) return state;
  return { ...state, detail: { ...detail, ...change } };
}
