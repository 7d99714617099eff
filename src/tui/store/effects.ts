import type { MtlsMode } from '../../model/sidecar-config.js';
import type { OperationName, RequestOf } from '../../protocol/api.js';
import type { Command } from '../keymap/commands.js';
import { FAULT_PRESETS } from './fault-menu.js';
import type { State } from './state.js';
import { selectedIndex, visibleExchanges } from './tap.js';

/** What a command asks of the world outside the screen; carried out by the controller. */
export type Effect =
  | { readonly kind: 'call'; readonly doing: string; readonly done: string; readonly call: AnyCall }
  | { readonly kind: 'load-trace'; readonly requestId: string }
  | { readonly kind: 'leave'; readonly outcome: 'detach' | 'down' }
  | { readonly kind: 'redraw' };

type CallOf<N extends OperationName> = { readonly name: N; readonly request: RequestOf<N> };
type Changing = 'addFault' | 'updateFault' | 'removeFault' | 'clearFaults' | 'setFeatures' | 'setLoad';
export type AnyCall = { [N in Changing]: CallOf<N> }[Changing];

/** Judged by the state in which the key was pressed. */
export function effectOf(state: State, command: Command): Effect | null {
  if (command === 'redraw') return { kind: 'redraw' };
  if (state.dialog !== null) return effectInDialog(state, command);
  if (state.tap.typing !== null) return null;
  switch (command) {
    case 'quit':
      return state.owned ? null : { kind: 'leave', outcome: 'detach' };
    case 'open':
      return loadTrace(state);
    case 'clear-faults':
      return call('removing all faults', 'all faults removed', { name: 'clearFaults', request: {} });
    case 'toggle-fault':
    case 'delete-fault':
      return effectOnFault(state, command);
    default:
      return effectOnMesh(state, command);
  }
}

function effectInDialog({ dialog, owned }: State, command: Command): Effect | null {
  if (dialog?.kind === 'quit') {
    if (command === 'quit-detach') return { kind: 'leave', outcome: 'detach' };
    return command === 'quit-down' ? { kind: 'leave', outcome: 'down' } : null;
  }
  if (command === 'quit' && !owned) return { kind: 'leave', outcome: 'detach' };
  if (dialog?.kind !== 'fault-preset' || !command.startsWith('choose')) return null;
  const index = command === 'choose' ? dialog.cursor : Number(command.slice('choose-'.length)) - 1;
  const preset = FAULT_PRESETS[index];
  if (preset === undefined) return null;
  const what = `fault at ${dialog.target}: ${preset.label}`;
  return call(`adding ${what}`, what, { name: 'addFault', request: { to: dialog.target, ...preset.fault } });
}

function loadTrace({ screen, tap, detail }: State): Effect | null {
  const visible = visibleExchanges(tap);
  const requestId = visible[selectedIndex(tap, visible)]?.requestId ?? '';
  return screen !== 'requests' || detail !== null || requestId === '' ? null : { kind: 'load-trace', requestId };
}

function effectOnFault({ mesh, cursor }: State, command: Command): Effect | null {
  const fault = mesh.faults[cursor.faults];
  if (fault === undefined) return null;
  const { name } = fault;
  if (command === 'delete-fault')
    return call(`removing ${name}`, `${name} removed`, { name: 'removeFault', request: { name } });
  const enabled = !fault.enabled;
  const word = enabled ? 'on' : 'off';
  return call(`switching ${name} ${word}`, `${name} is ${word}`, { name: 'updateFault', request: { name, enabled } });
}

const NEXT_MTLS: Readonly<Record<MtlsMode, MtlsMode>> = {
  disable: 'permissive',
  permissive: 'strict',
  strict: 'disable',
};

function effectOnMesh({ mesh }: State, command: Command): Effect | null {
  const { status } = mesh;
  if (status === null) return null;
  if (command === 'toggle-retries') {
    const retries = !status.features.retries;
    const what = `retries ${retries ? 'on' : 'off'}`;
    return call(`switching ${what}`, what, { name: 'setFeatures', request: { retries } });
  }
  if (command === 'cycle-mtls') {
    const mtls = NEXT_MTLS[status.features.mtls];
    return call(`switching mTLS to ${mtls}`, `mTLS mode is ${mtls}`, { name: 'setFeatures', request: { mtls } });
  }
  if (command !== 'load-up' && command !== 'load-down') return null;
  const rps = nextRate(status.load.rps, command === 'load-up');
  return call(`setting the load to ${rps}/s`, `load is ${rps}/s`, { name: 'setLoad', request: { rps } });
}

const RATES = [0, 1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000];

/** Steps of about 2: from a trickle to more than a laptop carries in a dozen keys. */
export function nextRate(rps: number, up: boolean): number {
  if (up) return RATES.find((rate) => rate > rps) ?? rps;
  return RATES.findLast((rate) => rate < rps) ?? 0;
}

function call(doing: string, done: string, what: AnyCall): Effect {
  return { kind: 'call', doing, done, call: what };
}
