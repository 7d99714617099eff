import type { BalancingAlgorithm } from '../../model/cluster.js';
import type { Clock } from '../../platform/clock.js';
import type { EndpointState, LatencyEstimate } from '../pipeline/cluster.js';

/** Gives endpoints an estimate of their latency where the algorithm asks for one, and takes it where none does. */
export function measureLatency(endpoints: readonly EndpointState[], algorithm: BalancingAlgorithm, clock: Clock): void {
  for (const endpoint of endpoints) {
    if (algorithm.kind !== 'peak-ewma') endpoint.latency = null;
    else endpoint.latency ??= new PeakEwma(algorithm.defaultRttMs, algorithm.decayMs, clock);
  }
}

/**
 * An exponentially weighted moving average that follows peaks at once and forgets them slowly (Finagle's and Linkerd's
 * Peak EWMA). Without news it sinks, so that an endpoint that was slow once is tried again.
 */
export class PeakEwma implements LatencyEstimate {
  readonly #decayMs: number;
  readonly #clock: Clock;
  #ms: number;
  #at: number;

  constructor(initialMs: number, decayMs: number, clock: Clock) {
    this.#ms = initialMs;
    this.#decayMs = decayMs;
    this.#clock = clock;
    this.#at = clock.monotonic();
  }

  read(): number {
    return this.#ms * this.#kept(this.#clock.monotonic());
  }

  observe(ms: number): void {
    const now = this.#clock.monotonic();
    const kept = this.#kept(now);
    this.#ms = ms > this.#ms ? ms : ms * (1 - kept) + this.#ms * kept;
    this.#at = now;
  }

  /** How much of the past still counts. */
  #kept(now: number): number {
    return Math.exp((this.#at - now) / this.#decayMs);
  }
}
