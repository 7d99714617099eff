import type { Clock, Timer } from '../../platform/clock.js';

/** Envoy's `update_merge_window`, ms. */
const WINDOW_MS = 1_000;

/**
 * When balancing hears that an endpoint was put aside or brought back: at once, or, within a second of the last time,
 * together with whatever else happens in the second that begins now (Envoy merges such updates of a cluster).
 */
export class MergeWindow {
  readonly #clock: Clock;
  readonly #tell: () => void;
  #toldAt = Number.NEGATIVE_INFINITY;
  #timer: Timer | null = null;

  constructor(clock: Clock, tell: () => void) {
    this.#clock = clock;
    this.#tell = tell;
  }

  changed(): void {
    if (this.#clock.monotonic() - this.#toldAt > WINDOW_MS) return this.now();
    this.#timer ??= this.#clock.after(WINDOW_MS, () => this.now());
  }

  /** Balancing hears it now, with all that waited. */
  now(): void {
    this.close();
    this.#toldAt = this.#clock.monotonic();
    this.#tell();
  }

  close(): void {
    this.#timer?.cancel();
    this.#timer = null;
  }
}
