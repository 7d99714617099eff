import type { Clock, Timer } from './clock.js';

/** Something that has until a moment. */
export interface Limited {
  /** The time is up. */
  onDeadline(): void;
}

/**
 * Exact deadlines for many things at once, most of which are cancelled: those of one length expire in the order in which
 * they were set, so a linked list per length and one timer for its first member do. Setting and cancelling touch no timer.
 */
export class Deadlines {
  readonly #clock: Clock;
  readonly #lists = new Map<number, List>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Tells `limited` after `ms`, unless it is cancelled before. */
  set(ms: number, limited: Limited): Timer {
    let list = this.#lists.get(ms);
    if (list === undefined) {
      list = new List(ms);
      this.#lists.set(ms, list);
    }
    const entry = new Entry(list, this.#clock.monotonic() + ms, limited);
    list.append(entry);
    if (!list.armed) this.#arm(list, ms);
    return entry;
  }

  #arm(list: List, ms: number): void {
    list.armed = true;
    this.#clock.after(ms, () => this.#expire(list));
  }

  /** Serves those whose time is up, then waits for the next; a list that is empty by then is forgotten. */
  #expire(list: List): void {
    list.armed = false;
    const now = this.#clock.monotonic();
    for (let first = list.first; first !== null && first.at <= now; first = list.first) {
      first.cancel();
      first.limited.onDeadline();
    }
    if (list.armed) return;
    if (list.first === null) this.#lists.delete(list.ms);
    else this.#arm(list, Math.max(1, Math.ceil(list.first.at - now)));
  }
}

class List {
  readonly ms: number;
  first: Entry | null = null;
  last: Entry | null = null;
  armed = false;

  constructor(ms: number) {
    this.ms = ms;
  }

  append(entry: Entry): void {
    entry.previous = this.last;
    if (this.last === null) this.first = entry;
    else this.last.next = entry;
    this.last = entry;
  }
}

class Entry implements Timer {
  readonly at: number;
  readonly limited: Limited;
  previous: Entry | null = null;
  next: Entry | null = null;
  #list: List | null;

  constructor(list: List, at: number, limited: Limited) {
    this.#list = list;
    this.at = at;
    this.limited = limited;
  }

  cancel(): void {
    const list = this.#list;
    if (list === null) return;
    this.#list = null;
    if (this.previous === null) list.first = this.next;
    else this.previous.next = this.next;
    if (this.next === null) list.last = this.previous;
    else this.next.previous = this.previous;
  }
}
