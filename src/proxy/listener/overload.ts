import type { Clock, Timer } from '../../platform/clock.js';
import type { Call, Filter } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';

/** How full the memory is that this process may use. */
export interface MemoryReading {
  readonly usedBytes: number;
  readonly limitBytes: number;
}

export type MemoryLevel = 'fine' | 'no-keep-alive' | 'shed';

export interface MemoryGuardParts {
  readonly clock: Clock;
  readonly read: () => MemoryReading;
  readonly limits: () => { readonly keepAliveMemoryPercent: number; readonly shedMemoryPercent: number };
  readonly onChange: (level: MemoryLevel, percent: number) => void;
}

/** Between two readings, ms. */
const PERIOD_MS = 500;

/**
 * Watches the memory of this process. In two steps, before it runs out: callers are asked to close their connections,
 * then requests are turned away. A step counts when two readings in a row say so: garbage that is about to be collected
 * is no reason.
 */
export class MemoryGuard {
  level: MemoryLevel = 'fine';
  readonly #parts: MemoryGuardParts;
  #last: MemoryLevel = 'fine';
  #timer: Timer | null = null;

  constructor(parts: MemoryGuardParts) {
    this.#parts = parts;
  }

  start(): void {
    this.#timer = this.#parts.clock.after(PERIOD_MS, () => {
      this.look();
      this.start();
    });
  }

  stop(): void {
    this.#timer?.cancel();
  }

  look(): void {
    const { usedBytes, limitBytes } = this.#parts.read();
    const percent = (usedBytes * 100) / limitBytes;
    const { keepAliveMemoryPercent, shedMemoryPercent } = this.#parts.limits();
    const now = percent >= shedMemoryPercent ? 'shed' : percent >= keepAliveMemoryPercent ? 'no-keep-alive' : 'fine';
    const twice = now === this.#last;
    this.#last = now;
    if (!twice || now === this.level) return;
    this.level = now;
    this.#parts.onChange(now, percent);
  }
}

/** Turns requests away while the memory is at its second step: 503, flag `OM`. */
export function shed(guard: { readonly level: MemoryLevel }): Filter<Call> {
  return (next) => (call) => {
    if (guard.level === 'shed') throw new ProxyError('overloaded');
    return next(call);
  };
}
