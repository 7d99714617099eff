import { type Frame, plainText, type Size } from '../frame.js';
import type { TerminalDriver, TerminalEvents } from './terminal-driver.js';

/** A terminal that is only remembered: for tests. */
export class MemoryDriver implements TerminalDriver {
  readonly frames: Frame[] = [];
  redraws = 0;
  stops = 0;
  readonly #size: Size;
  #events: TerminalEvents | null = null;

  constructor(size: Size) {
    this.#size = size;
  }

  async start(events: TerminalEvents): Promise<Size> {
    this.#events = events;
    return this.#size;
  }

  draw(frame: Frame): void {
    this.frames.push(frame);
  }

  redraw(): void {
    this.redraws += 1;
  }

  stop(): void {
    this.stops += 1;
  }

  /** Presses keys one after the other. */
  press(...keys: readonly string[]): void {
    for (const key of keys) this.#events?.onKey(key);
  }

  resize(size: Size): void {
    this.#events?.onResize(size);
  }

  /** The last frame's characters. */
  text(): string {
    const last = this.frames.at(-1);
    return last === undefined ? '' : plainText(last);
  }
}
