import { SandboxError } from './runtime.js';

/**
 * Stands before every step that makes something: once closed nothing new is begun, and closing waits for what has begun.
 * Without it, what an interrupted `up` was just creating would appear after the removal had looked.
 */
export class Gate {
  readonly #begun = new Set<Promise<unknown>>();
  #closed = false;

  /** Runs `make` unless the gate is closed; then rejects with SandboxError. */
  async pass<T>(make: () => Promise<T>): Promise<T> {
    if (this.#closed) throw new SandboxError('the sandbox is being removed');
    const running = make();
    this.#begun.add(running);
    try {
      return await running;
    } finally {
      this.#begun.delete(running);
    }
  }

  /** Resolves when nothing is under way any more; never rejects. */
  async close(): Promise<void> {
    this.#closed = true;
    await Promise.allSettled(this.#begun);
  }
}
