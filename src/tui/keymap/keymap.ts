import type { State } from '../store/state.js';
import type { Command } from './commands.js';

/** What the keys act on at the moment; a dialog hides the screen below it. */
export type Mode =
  | 'topology'
  | 'requests'
  | 'faults'
  | 'workloads'
  | 'events'
  | 'detail'
  | 'filter'
  | 'help'
  | 'fault-target'
  | 'fault-preset'
  | 'quit';

export interface Binding {
  readonly command: Command;
  /** Names as the driver reports them: a character, `up`, `C-l`, `S-tab`. */
  readonly keys: readonly string[];
  readonly modes: readonly Mode[];
  /** Keys as people read them. */
  readonly shown: string;
  /** One or two words for the bottom line; empty = not there. */
  readonly short: string;
  /** A sentence for the help screen. */
  readonly help: string;
}

const SCREENS: readonly Mode[] = ['topology', 'requests', 'faults', 'workloads', 'events'];
const BROWSING: readonly Mode[] = [...SCREENS, 'detail'];
const MOVING: readonly Mode[] = [...BROWSING, 'help', 'fault-target', 'fault-preset'];
const EVERYWHERE: readonly Mode[] = [...MOVING, 'filter', 'quit'];
/** What was opened on top of a screen. */
const NESTED: readonly Mode[] = EVERYWHERE.filter((mode) => !SCREENS.includes(mode));

function bind(
  command: Command,
  keys: readonly string[],
  modes: readonly Mode[],
  shown: string,
  short: string,
  help: string,
): Binding {
  return { command, keys, modes, shown, short, help };
}

/** The one table of keys: dispatch, bottom line and help screen are made of it. Earlier rows win a place on the bottom line. */
export const KEYMAP: readonly Binding[] = [
  bind('choose', ['enter'], ['fault-target', 'fault-preset'], 'enter', 'choose', 'Choose'),
  bind('choose-1', ['1'], ['fault-preset'], '1', '', 'Choose the first'),
  bind('choose-2', ['2'], ['fault-preset'], '2', '', 'Choose the second'),
  bind('choose-3', ['3'], ['fault-preset'], '3', '', 'Choose the third'),
  bind('choose-4', ['4'], ['fault-preset'], '4', '', 'Choose the fourth'),
  bind('quit-detach', ['k'], ['quit'], 'k', 'keep running', 'Leave; the sandbox keeps running'),
  bind('quit-down', ['d', 'b'], ['quit'], 'd', 'bring down', 'Leave and bring the sandbox down'),
  bind('filter-accept', ['enter'], ['filter'], 'enter', 'apply', 'Apply the filter'),
  bind('filter-erase', ['backspace'], ['filter'], 'backspace', '', 'Erase a character'),
  bind('open', ['enter'], ['requests'], 'enter', 'explain', 'Every hop of the request, and whose fault it was'),
  bind('filter', ['/'], ['requests'], '/', 'filter', 'Show only what contains a text; ! in front turns it round'),
  bind('pause', ['p'], ['requests'], 'p', 'pause', 'Freeze the list, or let it run again'),
  bind('all-hops', ['h'], ['requests'], 'h', 'hops', 'Every hop, or one row per request'),
  bind('toggle-fault', ['space'], ['faults'], 'space', 'on/off', 'Switch the fault on or off'),
  bind('fault-menu', ['a'], ['faults'], 'a', 'add', 'Add a fault'),
  bind('delete-fault', ['d', 'delete'], ['faults'], 'd', 'delete', 'Remove the fault'),
  bind('back', ['escape'], NESTED, 'esc', 'back', 'Back'),
  bind('back', ['escape'], SCREENS, 'esc', '', 'Drop the filter and follow the newest'),
  bind('help', ['?'], [...BROWSING, 'help'], '?', 'help', 'This help'),
  bind('topology', ['1'], BROWSING, '1', '', 'Topology: who calls whom, how well'),
  bind('requests', ['2'], BROWSING, '2', '', 'Requests as they happen'),
  bind('faults', ['3'], BROWSING, '3', '', 'Faults that are injected'),
  bind('workloads', ['4'], BROWSING, '4', '', 'Workloads: sidecars, certificates, cost'),
  bind('events', ['5'], BROWSING, '5', '', 'Events of the sandbox itself'),
  bind('next-screen', ['tab'], BROWSING, 'tab', 'next', 'Next screen'),
  bind('previous-screen', ['S-tab'], BROWSING, 'shift-tab', '', 'Previous screen'),
  bind('fault-menu', ['f'], BROWSING, 'f', 'fault', 'Break something: the menu of faults'),
  bind('clear-faults', ['x'], BROWSING, 'x', 'clear faults', 'Remove all faults'),
  bind('toggle-retries', ['t'], BROWSING, 't', 'retries', 'Switch retries on or off in the whole mesh'),
  bind('cycle-mtls', ['m'], BROWSING, 'm', 'mTLS', 'Next mTLS mode: disable, permissive, strict'),
  bind('load-up', ['+', '='], BROWSING, '+', 'load', 'More load'),
  bind('load-down', ['-', '_'], BROWSING, '-', '', 'Less load'),
  bind('quit', ['q'], [...BROWSING, 'help'], 'q', 'quit', 'Leave; asks first when the sandbox was started from here'),
  bind('quit', ['C-c'], MOVING.concat('filter'), 'ctrl-c', '', 'The same as q'),
  bind('back', ['C-c'], ['quit'], 'ctrl-c', '', 'Stay'),
  bind('up', ['up', 'k'], MOVING, '↑ k', '', 'Up'),
  bind('down', ['down', 'j'], MOVING, '↓ j', '', 'Down'),
  bind('page-up', ['pageup'], MOVING, 'PgUp', '', 'A page up'),
  bind('page-down', ['pagedown'], MOVING, 'PgDn', '', 'A page down'),
  bind('top', ['home', 'g'], MOVING, 'home g', '', 'To the first row'),
  bind('bottom', ['end', 'G'], MOVING, 'end G', '', 'To the last row'),
  bind('redraw', ['C-l'], EVERYWHERE, 'ctrl-l', '', 'Draw everything again'),
];

export function modeOf({ dialog, tap, detail, screen }: State): Mode {
  if (dialog !== null) return dialog.kind;
  if (tap.typing !== null) return 'filter';
  return detail === null ? screen : 'detail';
}

export function bindingsOf(mode: Mode): readonly Binding[] {
  return KEYMAP.filter(({ modes }) => modes.includes(mode));
}
