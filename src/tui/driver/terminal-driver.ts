import type { Frame, Size } from '../frame.js';

export interface TerminalEvents {
  /** A character, or a name such as `up`, `enter`, `C-l`, `S-tab`. */
  onKey(key: string): void;
  onResize(size: Size): void;
}

/** All that the screens need of a terminal; the library behind it can be exchanged. */
export interface TerminalDriver {
  /** Takes the terminal over. */
  start(events: TerminalEvents): Promise<Size>;
  draw(frame: Frame): void;
  /** Draws the last frame anew, whatever somebody else has written over it. */
  redraw(): void;
  /** Gives the terminal back as it was. May be called more than once. */
  stop(): void;
}
