import { SCREENS, type Screen, type State } from './state.js';
import { selectedIndex, visibleExchanges } from './tap.js';
import { topologyRows } from './topology.js';

/** Lines of the screen that are not the body: two of header, tabs, message, keys. */
export const CHROME_ROWS = 5;

export type Move = 'up' | 'down' | 'page-up' | 'page-down' | 'top' | 'bottom';

/** How far a page is; one row stays in sight. */
export function pageOf({ size }: State): number {
  return Math.max(1, size.rows - CHROME_ROWS - 2);
}

export function moved(position: number, move: Move, page: number, last: number): number {
  const target = {
    up: position - 1,
    down: position + 1,
    'page-up': position - page,
    'page-down': position + page,
    top: 0,
    bottom: last,
  }[move];
  return Math.max(0, Math.min(target, last));
}

/** Moves the cursor of the present screen. */
export function moveCursor(state: State, move: Move): State {
  if (state.screen === 'requests') return moveInRequests(state, move);
  const { screen, cursor } = state;
  const next = moved(cursor[screen], move, pageOf(state), rowCount(state, screen) - 1);
  return { ...state, cursor: { ...cursor, [screen]: next } };
}

/** Requests move under the cursor, so it holds on to one of them; at the top it follows the newest. */
function moveInRequests(state: State, move: Move): State {
  const visible = visibleExchanges(state.tap);
  const index = moved(selectedIndex(state.tap, visible), move, pageOf(state), visible.length - 1);
  return { ...state, tap: { ...state.tap, selected: index === 0 ? null : (visible[index]?.id ?? null) } };
}

export function rowCount(state: State, screen: Screen): number {
  switch (screen) {
    case 'topology':
      return topologyRows(state.mesh).length;
    case 'requests':
      return visibleExchanges(state.tap).length;
    case 'events':
      return state.mesh.notices.length;
    default:
      return state.mesh[screen].length;
  }
}

/** Lists get shorter under the cursor; it stays on the last row then. */
export function clampCursors(state: State): State {
  const cursor = { ...state.cursor };
  for (const screen of SCREENS) cursor[screen] = Math.max(0, Math.min(cursor[screen], rowCount(state, screen) - 1));
  return { ...state, cursor };
}
