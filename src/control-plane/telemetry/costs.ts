import type { PartUsage } from '../../model/metrics.js';
import type { Clock } from '../../platform/clock.js';
import type { MetricsReport } from '../../protocol/control-stream.js';

/** CPU per request is averaged over this much time, ms. */
const WINDOW_MS = 5_000;

interface CpuCount {
  micros: number;
  requests: number;
  since: number;
  perRequest: number | null;
}

/** What the parts of a sandbox cost: measured from outside by the runtime, and by each sidecar's own clock. */
export class Costs {
  readonly #clock: Clock;
  readonly #usage = new Map<string, PartUsage>();
  readonly #cpu = new Map<string, CpuCount>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  addUsage(usage: readonly PartUsage[]): void {
    for (const part of usage) this.#usage.set(part.part, part);
  }

  addReport(workload: string, report: MetricsReport): void {
    const now = this.#clock.now();
    const count = this.#cpu.get(workload) ?? { micros: 0, requests: 0, since: now, perRequest: null };
    count.micros += report.cpuMicros;
    for (const { requests } of report.edges) count.requests += requests;
    if (now - count.since > WINDOW_MS) {
      count.perRequest = count.requests === 0 ? null : count.micros / count.requests;
      Object.assign(count, { micros: 0, requests: 0, since: now });
    }
    this.#cpu.set(workload, count);
  }

  usageOf(part: string): PartUsage | null {
    return this.#usage.get(part) ?? null;
  }

  /** µs; null without traffic. */
  cpuPerRequest(workload: string): number | null {
    return this.#cpu.get(workload)?.perRequest ?? null;
  }
}
