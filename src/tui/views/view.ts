import { type Frame, frameOf, type Line, type Size } from '../frame.js';
import { CHROME_ROWS } from '../store/cursor.js';
import type { State } from '../store/state.js';
import type { Theme } from '../theme.js';
import { detailView } from './detail.js';
import { dialogView } from './dialogs.js';
import { eventsView } from './events.js';
import { faultsView } from './faults.js';
import { keyLine, messageLine } from './footer.js';
import { header, tabs } from './header.js';
import { requestsView } from './requests.js';
import { topologyView } from './topology.js';
import { workloadsView } from './workloads.js';

const SMALLEST: Size = { cols: 60, rows: 20 };

const SCREENS = {
  topology: topologyView,
  requests: requestsView,
  faults: faultsView,
  workloads: workloadsView,
  events: eventsView,
} as const;

/** The whole screen for a state: pure, so that every screen is testable as text. */
export function view(state: State, size: Size, theme: Theme): Frame {
  if (size.cols < SMALLEST.cols || size.rows < SMALLEST.rows) {
    return frameOf([[theme.span(`needs ${SMALLEST.cols}x${SMALLEST.rows}; q quits`)]], size);
  }
  const bodySize = { cols: size.cols, rows: size.rows - CHROME_ROWS };
  const shown = frameOf(body(state, bodySize, theme), bodySize).lines;
  return frameOf(
    [
      ...header(state, size, theme),
      tabs(state, size, theme),
      ...shown,
      messageLine(state, size, theme),
      keyLine(state, size, theme),
    ],
    size,
  );
}

function body(state: State, size: Size, theme: Theme): readonly Line[] {
  if (state.dialog !== null) return dialogView(state, state.dialog, size, theme);
  if (state.detail !== null) return detailView(state.detail, size, theme);
  return SCREENS[state.screen](state, size, theme);
}
