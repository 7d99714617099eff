import type { Action } from '../store/actions.js';
import type { State } from '../store/state.js';
import { bindingsOf, modeOf } from './keymap.js';

/** What a key press means now; null = nothing. */
export function actionOf(state: State, key: string): Action | null {
  const mode = modeOf(state);
  const binding = bindingsOf(mode).find(({ keys }) => keys.includes(key));
  if (binding !== undefined) return { type: 'command', command: binding.command };
  if (mode !== 'filter') return null;
  const text = key === 'space' ? ' ' : key;
  return /^[\x20-\x7e]$/.test(text) ? { type: 'typed', text } : null;
}
