/** Time as a parameter: nothing else in the project reads a clock. */
export interface Clock {
  /** Epoch milliseconds, for people and certificates. */
  now(): number;
  /** Monotonic milliseconds with fractions, for durations. */
  monotonic(): number;
  /**
   * Calls back after `ms`; the handle cancels. What arrived meanwhile is heard first: a process that was not let run for a
   * while must not take its own absence for somebody else's silence.
   */
  after(ms: number, callback: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}

export const systemClock: Clock = {
  now: () => Date.now(),
  monotonic: () => performance.now(),
  after(ms, callback) {
    let due: NodeJS.Immediate | null = null;
    // Timers run before sockets are looked at; immediates after that.
    const handle = setTimeout(
      () => {
        due = setImmediate(callback);
      },
      Math.min(Math.max(0, ms), 0x7fffffff),
    );
    return {
      cancel() {
        clearTimeout(handle);
        if (due !== null) clearImmediate(due);
      },
    };
  },
};

/** Resolves after `ms` on the given clock. */
export function sleep(clock: Clock, ms: number): Promise<void> {
  return new Promise((resolve) => {
    clock.after(ms, resolve);
  });
}
