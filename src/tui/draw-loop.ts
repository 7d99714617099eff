import type { Clock, Timer } from '../platform/clock.js';

/** Ten frames a second are enough for eyes, and cheap enough to leave open beside a benchmark. */
const FRAME_MS = 100;

/** Draws when something changed, at most every {@link FRAME_MS}; the first change after a pause is drawn at once. */
export class DrawLoop {
  readonly #clock: Clock;
  readonly #draw: () => void;
  #last = Number.NEGATIVE_INFINITY;
  #waiting: Timer | null = null;
  #stopped = false;

  constructor(clock: Clock, draw: () => void) {
    this.#clock = clock;
    this.#draw = draw;
  }

  /** Something changed. */
  touch(): void {
    if (this.#stopped || this.#waiting !== null) return;
    const wait = this.#last + FRAME_MS - this.#clock.monotonic();
    if (wait <= 0) this.#now();
    else this.#waiting = this.#clock.after(wait, () => this.#now());
  }

  stop(): void {
    this.#stopped = true;
    this.#waiting?.cancel();
    this.#waiting = null;
  }

  #now(): void {
    this.#waiting = null;
    if (this.#stopped) return;
    this.#last = this.#clock.monotonic();
    this.#draw();
  }
}
