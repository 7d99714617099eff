import type { Command } from '../keymap/commands.js';
import { moved } from './cursor.js';
import { FAULT_PRESETS, faultTargets, suggestedTarget } from './fault-menu.js';
import type { Dialog, State } from './state.js';

/** Commands that put a question in front of everything else. */
export function dialogOpened(state: State, command: Command): State {
  if (command === 'help') return { ...state, dialog: { kind: 'help', scroll: 0 } };
  if (command === 'quit' && state.owned) return { ...state, dialog: { kind: 'quit' } };
  if (command === 'fault-menu') return { ...state, dialog: { kind: 'fault-target', cursor: suggestedTarget(state) } };
  return state;
}

export function dialogClosed(state: State): State {
  return { ...state, dialog: null };
}

/** A dialog takes every key; what it does not know is nothing. */
export function reduceDialog(state: State, dialog: Dialog, command: Command): State {
  if (command === 'back') return dialogClosed(state);
  switch (dialog.kind) {
    case 'help':
      return reduceHelp(state, dialog.scroll, command);
    case 'fault-target':
      return reduceTarget(state, dialog.cursor, command);
    case 'fault-preset':
      return reducePreset(state, dialog.target, dialog.cursor, command);
    case 'quit':
      return state;
  }
}

function reduceHelp(state: State, scroll: number, command: Command): State {
  if (command === 'help') return dialogClosed(state);
  if (command === 'quit') return dialogOpened(dialogClosed(state), 'quit');
  return { ...state, dialog: { kind: 'help', scroll: at(scroll, command, 200) } };
}

function reduceTarget(state: State, cursor: number, command: Command): State {
  const targets = faultTargets(state);
  const target = targets[cursor];
  if (command === 'choose')
    return target === undefined
      ? dialogClosed(state)
      : { ...state, dialog: { kind: 'fault-preset', target, cursor: 0 } };
  return { ...state, dialog: { kind: 'fault-target', cursor: at(cursor, command, targets.length - 1) } };
}

function reducePreset(state: State, target: string, cursor: number, command: Command): State {
  if (command.startsWith('choose')) return dialogClosed(state);
  return { ...state, dialog: { kind: 'fault-preset', target, cursor: at(cursor, command, FAULT_PRESETS.length - 1) } };
}

function at(position: number, command: Command, last: number): number {
  switch (command) {
    case 'up':
    case 'down':
    case 'page-up':
    case 'page-down':
    case 'top':
    case 'bottom':
      return moved(position, command, 10, Math.max(0, last));
    default:
      return position;
  }
}
