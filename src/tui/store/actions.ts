import type { Explanation, MeshEvent, Trace } from '../../protocol/api-types.js';
import type { Size } from '../frame.js';
import type { Command } from '../keymap/commands.js';
import type { Message } from './state.js';

/** Everything that can change the state. */
export type Action =
  | { readonly type: 'event'; readonly event: MeshEvent }
  | { readonly type: 'tick'; readonly now: number }
  | { readonly type: 'resize'; readonly size: Size }
  | { readonly type: 'connected'; readonly now: number }
  | { readonly type: 'disconnected'; readonly now: number }
  | { readonly type: 'command'; readonly command: Command }
  /** A character typed into the filter. */
  | { readonly type: 'typed'; readonly text: string }
  | { readonly type: 'trace-loaded'; readonly trace: Trace; readonly explanation: Explanation }
  | { readonly type: 'trace-failed'; readonly requestId: string; readonly reason: string }
  /** Text is `limit` lines longer than its window: only the views know. */
  | { readonly type: 'scroll-limit'; readonly limit: number }
  | { readonly type: 'message'; readonly message: Message };
