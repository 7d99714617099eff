import type { Command } from '../keymap/commands.js';
import { moveCursor } from './cursor.js';
import { dialogOpened, reduceDialog } from './dialogs.js';
import { SCREENS, type Screen, type State } from './state.js';
import { pauseToggled, selectedIndex, visibleExchanges } from './tap.js';

/** What a command changes on screen. What it asks of the mesh is in `effects.ts`. */
export function reduceCommand(state: State, command: Command): State {
  if (state.dialog !== null) return reduceDialog(state, state.dialog, command);
  if (state.tap.typing !== null) return reduceTyping(state, state.tap.typing, command);
  if (state.detail !== null) return reduceDetail(state, command);
  return reduceScreen(state, command);
}

function reduceScreen(state: State, command: Command): State {
  switch (command) {
    case 'topology':
    case 'requests':
    case 'faults':
    case 'workloads':
    case 'events':
      return { ...state, screen: command, message: null };
    case 'next-screen':
      return { ...state, screen: neighbour(state.screen, 1), message: null };
    case 'previous-screen':
      return { ...state, screen: neighbour(state.screen, -1), message: null };
    case 'up':
    case 'down':
    case 'page-up':
    case 'page-down':
    case 'top':
    case 'bottom':
      return moveCursor(state, command);
    case 'open':
      return opened(state);
    case 'back':
      return { ...state, message: null, tap: { ...state.tap, filter: '', selected: null } };
    case 'pause':
      return { ...state, tap: pauseToggled(state.tap) };
    case 'all-hops':
      return { ...state, tap: { ...state.tap, allHops: !state.tap.allHops } };
    case 'filter':
      return { ...state, tap: { ...state.tap, typing: state.tap.filter } };
    default:
      return dialogOpened(state, command);
  }
}

function neighbour(screen: Screen, step: number): Screen {
  const index = (SCREENS.indexOf(screen) + step + SCREENS.length) % SCREENS.length;
  return SCREENS[index] ?? 'topology';
}

/** Opens the chosen request; its record stays chosen while newer ones arrive. */
function opened(state: State): State {
  const visible = visibleExchanges(state.tap);
  const chosen = visible[selectedIndex(state.tap, visible)];
  if (state.screen !== 'requests' || chosen === undefined) return state;
  if (chosen.requestId === '')
    return { ...state, message: { level: 'info', text: 'a TCP connection has one hop only: it is all in its row' } };
  const detail = { requestId: chosen.requestId, trace: null, explanation: null, error: null, scroll: 0 };
  return { ...state, detail, tap: { ...state.tap, selected: chosen.id } };
}

const SCROLL: Partial<Record<Command, number>> = {
  up: -1,
  down: 1,
  'page-up': -10,
  'page-down': 10,
  top: -1e6,
  bottom: 1e6,
};

function reduceDetail(state: State, command: Command): State {
  const { detail } = state;
  if (detail === null) return state;
  if (command === 'back') return { ...state, detail: null, message: null };
  const step = SCROLL[command];
  if (step !== undefined) return { ...state, detail: { ...detail, scroll: Math.max(0, detail.scroll + step) } };
  if (SCREENS.some((screen) => screen === command) || command.endsWith('-screen'))
    return reduceScreen({ ...state, detail: null }, command);
  return dialogOpened(state, command);
}

function reduceTyping(state: State, typing: string, command: Command): State {
  const { tap } = state;
  switch (command) {
    case 'filter-accept':
      return { ...state, tap: { ...tap, filter: typing, typing: null, selected: null } };
    case 'filter-erase':
      return { ...state, tap: { ...tap, typing: typing.slice(0, -1) } };
    case 'back':
      return { ...state, tap: { ...tap, typing: null } };
    case 'quit':
      return dialogOpened({ ...state, tap: { ...tap, typing: null } }, 'quit');
    default:
      return state;
  }
}
