import type {
  EdgeStats,
  Exchange,
  Explanation,
  FaultView,
  Notice,
  Status,
  Trace,
  WorkloadView,
} from '../../protocol/api-types.js';
import type { Size } from '../frame.js';

export const SCREENS = ['topology', 'requests', 'faults', 'workloads', 'events'] as const;
export type Screen = (typeof SCREENS)[number];

/** Nobody reads further back, and the memory of a screen left open overnight stays bounded. */
export const MAX_EXCHANGES = 500;
export const MAX_NOTICES = 500;

/** Everything the screens are drawn from; changed only by `reduce`. */
export interface State {
  readonly sandboxName: string;
  /** This program brought the sandbox up, so leaving it must ask what becomes of it. */
  readonly owned: boolean;
  readonly size: Size;
  /** Epoch ms of the last tick; the views' only clock. */
  readonly now: number;
  readonly connection: Connection;
  readonly mesh: Mesh;
  readonly tap: Tap;
  readonly screen: Screen;
  readonly cursor: Readonly<Record<Screen, number>>;
  readonly detail: Detail | null;
  readonly dialog: Dialog | null;
  readonly message: Message | null;
}

export interface Connection {
  readonly kind: 'connecting' | 'live' | 'broken';
  /** Epoch ms. */
  readonly since: number;
}

/** The mesh as the last events told it. */
export interface Mesh {
  readonly status: Status | null;
  readonly workloads: readonly WorkloadView[];
  readonly edges: readonly EdgeStats[];
  readonly faults: readonly FaultView[];
  /** Oldest first. */
  readonly notices: readonly Notice[];
}

/** The live list of requests. */
export interface Tap {
  /** Oldest first. */
  readonly exchanges: readonly Exchange[];
  /** Records that the control plane could not send because there were too many. */
  readonly dropped: number;
  /** What was on screen when it was paused; null = running. */
  readonly frozen: readonly Exchange[] | null;
  /** Every hop, not only the one at which a request entered the mesh. */
  readonly allHops: boolean;
  readonly filter: string;
  /** Text being typed; null = not typing. */
  readonly typing: string | null;
  /** Id of the chosen record; null = follow the newest. */
  readonly selected: string | null;
}

/** One request, looked at closely. */
export interface Detail {
  readonly requestId: string;
  readonly trace: Trace | null;
  readonly explanation: Explanation | null;
  readonly error: string | null;
  readonly scroll: number;
}

export type Dialog =
  | { readonly kind: 'help'; readonly scroll: number }
  | { readonly kind: 'quit' }
  | { readonly kind: 'fault-target'; readonly cursor: number }
  | { readonly kind: 'fault-preset'; readonly target: string; readonly cursor: number };

/** One line about the last thing that was asked for. */
export interface Message {
  readonly level: 'info' | 'error';
  readonly text: string;
}

export function initialState(sandboxName: string, owned: boolean, size: Size, now: number): State {
  return {
    sandboxName,
    owned,
    size,
    now,
    connection: { kind: 'connecting', since: now },
    mesh: { status: null, workloads: [], edges: [], faults: [], notices: [] },
    tap: { exchanges: [], dropped: 0, frozen: null, allHops: false, filter: '', typing: null, selected: null },
    screen: 'topology',
    cursor: { topology: 0, requests: 0, faults: 0, workloads: 0, events: 0 },
    detail: null,
    dialog: null,
    message: null,
  };
}
