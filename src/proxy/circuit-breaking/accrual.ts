import type { FailureAccrual } from '../../model/cluster.js';
import type { Incident } from '../../model/timeline.js';
import type { Clock, Timer } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import type { ClusterState, EndpointOutcome, EndpointState, EndpointWatch } from '../pipeline/cluster.js';
import { judged } from './outcome.js';

export interface AccrualParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent: (event: Omit<Incident, 'at' | 'reporter'>) => void;
}

/**
 * Linkerd's failure accrual (`reference/circuit-breaking`): an endpoint that fails too often is left alone for a while,
 * then one request tries it; if that goes well it is back, else the pause is twice as long.
 */
export class AccrualWatch {
  readonly policy: FailureAccrual;
  readonly parts: AccrualParts;
  readonly #breakers = new Map<EndpointState, Breaker>();
  #cluster: ClusterState | null = null;

  constructor(policy: FailureAccrual, parts: AccrualParts) {
    this.policy = policy;
    this.parts = parts;
  }

  follow(cluster: ClusterState): void {
    this.#cluster = cluster;
    const present = new Set(cluster.endpoints);
    for (const [endpoint, breaker] of this.#breakers) {
      if (present.has(endpoint)) continue;
      breaker.close();
      this.#breakers.delete(endpoint);
    }
    for (const endpoint of cluster.endpoints) {
      const breaker = this.#breakers.get(endpoint) ?? new Breaker(endpoint, this);
      this.#breakers.set(endpoint, breaker);
      endpoint.watch = breaker;
    }
    cluster.picker.availabilityChanged();
  }

  close(): void {
    for (const breaker of this.#breakers.values()) breaker.close();
    this.#cluster?.picker.availabilityChanged();
  }

  /** An endpoint may, or may not, be asked from now on. */
  set(endpoint: EndpointState, available: boolean): void {
    endpoint.available = available;
    this.#cluster?.picker.availabilityChanged();
  }

  tell(kind: Incident['kind'], endpoint: EndpointState, what: string): void {
    const { workload } = endpoint.config;
    this.parts.onEvent({
      kind,
      service: this.#cluster?.config.service ?? '',
      workload,
      endpoint: endpoint.address,
      text: `${workload} (${endpoint.address}) ${what}`,
    });
  }
}

/** The breaker of one endpoint: closed, open, half-open (one request may try), or probing (it is trying). */
class Breaker implements EndpointWatch {
  readonly #endpoint: EndpointState;
  readonly #watch: AccrualWatch;
  #state: 'closed' | 'open' | 'half-open' | 'probing' = 'closed';
  #failures = 0;
  #pauses = 0;
  #timer: Timer | null = null;
  /** Newest outcomes, where success rates count: when, and whether it went well. */
  #recent: { readonly at: number; readonly fine: boolean }[] = [];

  constructor(endpoint: EndpointState, watch: AccrualWatch) {
    this.#endpoint = endpoint;
    this.#watch = watch;
  }

  chosen(): void {
    if (this.#state !== 'half-open') return;
    this.#state = 'probing';
    this.#watch.set(this.#endpoint, false);
    this.#watch.tell('probed', this.#endpoint, 'is tried with one request');
  }

  ended(outcome: EndpointOutcome): void {
    const result = judged(outcome);
    if (this.#state === 'probing') return this.#concludeProbe(result === null ? null : result.status < 500);
    // Late answers of requests from before it opened say nothing about now.
    if (result === null || this.#state !== 'closed') return;
    this.#count(result.status);
  }

  close(): void {
    this.#timer?.cancel();
    if (this.#endpoint.watch === this) this.#endpoint.watch = null;
    this.#endpoint.available = true;
  }

  #concludeProbe(fine: boolean | null): void {
    if (fine === true) {
      this.#state = 'closed';
      this.#pauses = 0;
      this.#forget();
      this.#watch.set(this.#endpoint, true);
      this.#watch.tell('closed', this.#endpoint, 'is asked again: the request that tried it went well');
    } else if (fine === false) this.#open('the request that tried it failed too');
    else {
      // The caller left before anything was known: another request may try.
      this.#state = 'half-open';
      this.#watch.set(this.#endpoint, true);
    }
  }

  #count(status: number): void {
    const { maxFailures, successRate } = this.#watch.policy;
    const fine = status < 500 && (successRate === null || status !== 429);
    this.#failures = status < 500 ? 0 : this.#failures + 1;
    if (maxFailures > 0 && this.#failures >= maxFailures) return this.#open(`${this.#failures} failures in a row`);
    if (successRate === null) return;
    const now = this.#watch.parts.clock.monotonic();
    this.#recent.push({ at: now, fine });
    while ((this.#recent[0]?.at ?? now) < now - successRate.windowMs) this.#recent.shift();
    const share = this.#recent.filter((entry) => entry.fine).length / this.#recent.length;
    if (this.#recent.length >= successRate.minimumRequests && share < successRate.threshold)
      this.#open(`only ${Math.round(share * 100)} % of its last ${this.#recent.length} answers went well`);
  }

  #open(why: string): void {
    const { minPenaltyMs, maxPenaltyMs, jitterRatio } = this.#watch.policy;
    const { clock, random } = this.#watch.parts;
    const base = Math.min(minPenaltyMs * 2 ** this.#pauses++, maxPenaltyMs);
    const pause = base * (1 + random.next() * jitterRatio);
    this.#state = 'open';
    this.#forget();
    this.#watch.set(this.#endpoint, false);
    this.#watch.tell('opened', this.#endpoint, `is left alone for ${(pause / 1000).toFixed(1)} s: ${why}`);
    this.#timer = clock.after(pause, () => {
      this.#timer = null;
      this.#state = 'half-open';
      this.#watch.set(this.#endpoint, true);
    });
  }

  #forget(): void {
    this.#failures = 0;
    this.#recent = [];
  }
}
