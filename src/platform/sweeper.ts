import type { Clock } from './clock.js';

/** Something that ends when nothing happened until `expiresAt` (monotonic ms; Infinity = no limit now). */
export interface Expiring {
  expiresAt: number;
  expire(): void;
}

/**
 * Deadlines for things that rarely reach them (idle connections, slow heads): moving a deadline is one assignment, and
 * one timer looks at all of them. Exact to `periodMs`, which is what the limits promise (0.5 s).
 */
export class Sweeper {
  readonly #clock: Clock;
  readonly #periodMs: number;
  readonly #items = new Set<Expiring>();
  #scheduled = false;
  /** When the things were last looked at, monotonic ms. */
  #lookedAt = 0;

  constructor(clock: Clock, periodMs = 250) {
    this.#clock = clock;
    this.#periodMs = periodMs;
  }

  add(item: Expiring): void {
    this.#items.add(item);
    this.#schedule();
  }

  /**
   * The moment `ms` from now, for an item that was added: one reading of the clock per period serves all, so a deadline
   * may come up to one period early.
   */
  deadline(ms: number): number {
    return this.#lookedAt + ms;
  }

  delete(item: Expiring): void {
    this.#items.delete(item);
  }

  #schedule(): void {
    if (this.#scheduled || this.#items.size === 0) return;
    this.#scheduled = true;
    this.#lookedAt = this.#clock.monotonic();
    this.#clock.after(this.#periodMs, () => this.#sweep());
  }

  #sweep(): void {
    this.#scheduled = false;
    const now = this.#clock.monotonic();
    for (const item of this.#items) if (item.expiresAt <= now) item.expire();
    this.#schedule();
  }
}
