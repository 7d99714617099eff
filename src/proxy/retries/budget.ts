import type { Cluster, RetryBudget } from '../../model/cluster.js';
import type { Clock } from '../../platform/clock.js';
import type { ClusterLoad, RetryGate } from '../pipeline/cluster.js';

/** The gate for a cluster's retries: its budget, else the most that may be under way at once. */
export function retryGate({ retryBudget, limits }: Cluster, load: ClusterLoad, clock: Clock): RetryGate {
  if (retryBudget === null) return new Ceiling(load, () => limits.maxRetries ?? Number.POSITIVE_INFINITY);
  if (retryBudget.kind === 'rate') return new RateBudget(retryBudget, load, clock);
  const { percent, minimum } = retryBudget;
  return new Ceiling(load, () => Math.max(minimum, (percent * (load.requests + load.pending)) / 100));
}

/** So many retries at a time, counted against what is under way (Envoy's `retry_budget` and `max_retries`). */
class Ceiling implements RetryGate {
  readonly #load: ClusterLoad;
  readonly #most: () => number;

  constructor(load: ClusterLoad, most: () => number) {
    this.#load = load;
    this.#most = most;
  }

  began(): void {}

  admit(): boolean {
    if (this.#load.retries >= this.#most()) return false;
    this.#load.retries++;
    return true;
  }

  ended(): void {
    this.#load.retries--;
  }
}

/** Slices of the window: what leaves it leaves so much at a time. */
const SLICES = 20;
/** One more than a window has: the present slice is not over, and what was spent must count for a whole window at least. */
const KEPT = SLICES + 1;

/**
 * A share of the requests of the last seconds, plus so many per second whatever comes (Linkerd's retry budget, Gateway
 * API's GEP-3388). Requests earn it, retries spend it. Over no window is more spent than was earned in it: what is earned
 * expires a slice early.
 */
class RateBudget implements RetryGate {
  readonly #budget: Extract<RetryBudget, { kind: 'rate' }>;
  readonly #load: ClusterLoad;
  readonly #clock: Clock;
  readonly #requests = new Float64Array(KEPT);
  readonly #retries = new Float64Array(KEPT);
  #slice = 0;
  #number = 0;

  constructor(budget: Extract<RetryBudget, { kind: 'rate' }>, load: ClusterLoad, clock: Clock) {
    this.#budget = budget;
    this.#load = load;
    this.#clock = clock;
    this.#number = this.#now();
  }

  began(): void {
    this.#turn();
    this.#requests[this.#slice] = (this.#requests[this.#slice] as number) + 1;
  }

  admit(): boolean {
    this.#turn();
    const { percent, minimumPerSecond, windowMs } = this.#budget;
    const oldest = this.#requests[(this.#slice + 1) % KEPT] as number;
    const earned = ((sum(this.#requests) - oldest) * percent) / 100;
    const allowed = earned + (minimumPerSecond * windowMs) / 1000;
    if (sum(this.#retries) + 1 > allowed) return false;
    this.#retries[this.#slice] = (this.#retries[this.#slice] as number) + 1;
    this.#load.retries++;
    return true;
  }

  ended(): void {
    this.#load.retries--;
  }

  #now(): number {
    return Math.floor((this.#clock.monotonic() * SLICES) / this.#budget.windowMs);
  }

  /** Empties the slices that time has passed. */
  #turn(): void {
    const now = this.#now();
    for (let left = Math.min(now - this.#number, KEPT); left > 0; left--) {
      this.#slice = (this.#slice + 1) % KEPT;
      this.#requests[this.#slice] = 0;
      this.#retries[this.#slice] = 0;
    }
    this.#number = now;
  }
}

function sum(slices: Float64Array): number {
  let total = 0;
  for (const slice of slices) total += slice;
  return total;
}
