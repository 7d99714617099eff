import type { Cluster, OutlierDetection } from '../../model/cluster.js';
import type { Incident } from '../../model/timeline.js';
import type { Clock, Timer } from '../../platform/clock.js';
import type { ClusterState, EndpointOutcome, EndpointState, EndpointWatch } from '../pipeline/cluster.js';
import { MergeWindow } from './merge-window.js';
import { judged } from './outcome.js';

export interface OutlierParts {
  readonly clock: Clock;
  readonly onEvent: (event: Omit<Incident, 'at' | 'reporter'>) => void;
}

/**
 * Envoy's outlier detection (`arch_overview/upstream/outlier`): failures in a row put an endpoint aside at once; sweeps
 * look at success rates and bring endpoints back when their time is over, longer each time.
 */
export class OutlierWatch {
  readonly #policy: OutlierDetection;
  readonly #parts: OutlierParts;
  readonly #startedAt: number;
  readonly #records = new Map<EndpointState, EndpointRecord>();
  readonly #availability: MergeWindow;
  #cluster: ClusterState | null = null;
  #timer: Timer | null = null;

  constructor(policy: OutlierDetection, parts: OutlierParts) {
    this.#policy = policy;
    this.#parts = parts;
    this.#startedAt = parts.clock.monotonic();
    this.#availability = new MergeWindow(parts.clock, () => this.#cluster?.picker.availabilityChanged());
  }

  follow(cluster: ClusterState): void {
    this.#cluster = cluster;
    const present = new Set(cluster.endpoints);
    for (const endpoint of this.#records.keys()) if (!present.has(endpoint)) this.#records.delete(endpoint);
    for (const endpoint of cluster.endpoints) {
      const record = this.#records.get(endpoint) ?? new EndpointRecord(endpoint, this);
      this.#records.set(endpoint, record);
      endpoint.watch = record;
    }
    cluster.picker.availabilityChanged();
    this.#arm();
  }

  close(): void {
    this.#timer?.cancel();
    this.#availability.close();
    for (const [endpoint, record] of this.#records) {
      if (endpoint.watch === record) endpoint.watch = null;
      endpoint.available = true;
    }
    this.#cluster?.picker.availabilityChanged();
  }

  /** A try at an endpoint is over: counts, and puts it aside when a threshold is met. */
  ended(record: EndpointRecord, outcome: EndpointOutcome): void {
    const result = judged(outcome);
    if (result === null) return;
    const { consecutive5xx, consecutiveGatewayErrors, consecutiveLocalOriginFailures, splitLocalOriginErrors } =
      this.#policy;
    if (splitLocalOriginErrors) {
      if (result.reached) record.localFailures = 0;
      if (result.local) {
        record.localFailures++;
        if (record.localFailures === consecutiveLocalOriginFailures)
          this.#eject(record, `it could not be reached ${times(record.localFailures)} in a row`);
        return;
      }
    }
    record.requests++;
    const { status } = result;
    if (status < 500) {
      record.successes++;
      record.errors = 0;
      record.gatewayErrors = 0;
      return;
    }
    record.gatewayErrors = status >= 502 && status <= 504 ? record.gatewayErrors + 1 : 0;
    record.errors++;
    if (record.gatewayErrors > 0 && record.gatewayErrors === consecutiveGatewayErrors)
      this.#eject(record, `${record.gatewayErrors} gateway errors (502-504) in a row`);
    if (record.errors > 0 && record.errors === consecutive5xx)
      this.#eject(record, `${record.errors} failures (5xx or no answer) in a row`);
    this.#arm();
  }

  #eject(record: EndpointRecord, why: string): void {
    const { endpoint } = record;
    record.resetRows();
    if (!endpoint.available) return;
    const all = this.#records.size;
    const out = [...this.#records.values()].filter(({ ejectedAt }) => ejectedAt !== null).length;
    const { maxEjectionPercent } = this.#policy;
    if (((out + 1) * 100) / all > maxEjectionPercent) {
      this.#tell(
        'spared',
        record,
        `stays although it deserves to be put aside: ${why}; at most ${maxEjectionPercent} % of ${all} may be out`,
      );
      return;
    }
    record.ejectedAt = this.#parts.clock.monotonic();
    record.ejections++;
    endpoint.available = false;
    this.#availability.changed();
    this.#tell('ejected', record, `was put aside for ${this.#ejectionMs(record) / 1000} s: ${why}`);
    this.#arm();
  }

  #ejectionMs({ ejections }: EndpointRecord): number {
    const { baseEjectionMs, maxEjectionMs } = this.#policy;
    return Math.min(baseEjectionMs * ejections, Math.max(baseEjectionMs, maxEjectionMs));
  }

  /** Sweeps come at whole intervals since the beginning, as long as there is something to look at. */
  #arm(): void {
    if (this.#timer !== null || !this.#hasWork()) return;
    const { intervalMs } = this.#policy;
    const since = this.#parts.clock.monotonic() - this.#startedAt;
    this.#timer = this.#parts.clock.after(intervalMs - (since % intervalMs), () => this.#sweep());
  }

  #hasWork(): boolean {
    if (this.#policy.successRate !== null || this.#policy.failurePercentage !== null) return true;
    for (const { ejectedAt, ejections } of this.#records.values()) if (ejectedAt !== null || ejections > 0) return true;
    return false;
  }

  #sweep(): void {
    this.#timer = null;
    const now = this.#parts.clock.monotonic();
    for (const record of this.#records.values()) {
      if (record.ejectedAt === null) record.ejections = Math.max(0, record.ejections - 1);
      else if (now - record.ejectedAt >= this.#ejectionMs(record)) this.#bringBack(record);
    }
    this.#judgeRates();
    for (const record of this.#records.values()) record.resetRates();
    this.#arm();
  }

  #bringBack(record: EndpointRecord): void {
    record.ejectedAt = null;
    record.resetRows();
    record.endpoint.available = true;
    this.#availability.changed();
    this.#tell('returned', record, 'is asked again: its time is over');
  }

  #judgeRates(): void {
    const { successRate, failurePercentage } = this.#policy;
    if (successRate !== null) {
      const judgedOnes = this.#busy(successRate.requestVolume);
      if (judgedOnes.length >= successRate.minimumHosts) {
        const rates = judgedOnes.map(({ rate }) => rate);
        const mean = rates.reduce((sum, rate) => sum + rate, 0) / rates.length;
        const deviation = Math.sqrt(rates.reduce((sum, rate) => sum + (rate - mean) ** 2, 0) / rates.length);
        const least = mean - (deviation * successRate.stdevFactor) / 1000;
        for (const { record, rate } of judgedOnes)
          if (rate < least)
            this.#eject(record, `its success rate of ${percent(rate)} is far below the average of ${percent(mean)}`);
      }
    }
    if (failurePercentage !== null) {
      const judgedOnes = this.#busy(failurePercentage.requestVolume);
      if (judgedOnes.length >= failurePercentage.minimumHosts) {
        for (const { record, rate } of judgedOnes)
          if ((1 - rate) * 100 >= failurePercentage.threshold)
            this.#eject(record, `${percent(1 - rate)} of its answers were failures`);
      }
    }
  }

  #busy(volume: number): { readonly record: EndpointRecord; readonly rate: number }[] {
    return [...this.#records.values()]
      .filter(({ ejectedAt, requests }) => ejectedAt === null && requests >= volume && requests > 0)
      .map((record) => ({ record, rate: record.successes / record.requests }));
  }

  #tell(kind: Incident['kind'], { endpoint }: EndpointRecord, what: string): void {
    const { service } = (this.#cluster as ClusterState).config satisfies Cluster;
    const { workload } = endpoint.config;
    this.#parts.onEvent({
      kind,
      service,
      workload,
      endpoint: endpoint.address,
      text: `${workload} (${endpoint.address}) ${what}`,
    });
  }
}

/** What is known of one endpoint. */
class EndpointRecord implements EndpointWatch {
  readonly endpoint: EndpointState;
  readonly #watch: OutlierWatch;
  errors = 0;
  gatewayErrors = 0;
  localFailures = 0;
  /** Since the last sweep. */
  requests = 0;
  successes = 0;
  /** Monotonic ms; null = it is in. */
  ejectedAt: number | null = null;
  /** How often it was put aside lately. */
  ejections = 0;

  constructor(endpoint: EndpointState, watch: OutlierWatch) {
    this.endpoint = endpoint;
    this.#watch = watch;
  }

  chosen(): void {}

  ended(outcome: EndpointOutcome): void {
    this.#watch.ended(this, outcome);
  }

  resetRows(): void {
    this.errors = 0;
    this.gatewayErrors = 0;
    this.localFailures = 0;
  }

  resetRates(): void {
    this.requests = 0;
    this.successes = 0;
  }
}

function percent(share: number): string {
  return `${Math.round(share * 1000) / 10} %`;
}

function times(n: number): string {
  return n === 1 ? 'once' : `${n} times`;
}
