import type Dockerode from 'dockerode';
import type { PartUsage } from '../../model/metrics.js';

interface Stats {
  readonly cpu_stats?: { readonly cpu_usage?: { readonly total_usage?: number } };
  readonly memory_stats?: {
    readonly usage?: number;
    readonly stats?: { readonly inactive_file?: number; readonly total_inactive_file?: number };
  };
  readonly read?: string;
}

/** CPU and memory of containers from the engine's counters; CPU is the difference of two samples. */
export class UsageMeter {
  readonly #docker: Dockerode;
  readonly #last = new Map<string, { cpuNanos: number; at: number }>();

  constructor(docker: Dockerode) {
    this.#docker = docker;
  }

  async measure(containers: readonly { readonly id: string; readonly part: string }[]): Promise<PartUsage[]> {
    const all = await Promise.all(containers.map((container) => this.#one(container)));
    return all.filter((usage) => usage !== null);
  }

  async #one({ id, part }: { id: string; part: string }): Promise<PartUsage | null> {
    try {
      const stats = (await this.#docker
        .getContainer(id)
        .stats({ stream: false, 'one-shot': true })) as unknown as Stats;
      const cpuNanos = stats.cpu_stats?.cpu_usage?.total_usage ?? 0;
      const at = Date.parse(stats.read ?? '') || 0;
      const before = this.#last.get(id);
      this.#last.set(id, { cpuNanos, at });
      const elapsedNanos = before === undefined ? 0 : (at - before.at) * 1e6;
      const cpu =
        before === undefined || elapsedNanos <= 0 ? 0 : Math.max(0, (cpuNanos - before.cpuNanos) / elapsedNanos);
      return { part, cpu, memoryBytes: workingSet(stats) };
    } catch {
      return null;
    }
  }
}

/** What `docker stats` shows: usage without the page cache that can be dropped (cgroup v1 and v2 name it differently). */
function workingSet({ memory_stats: memory }: Stats): number {
  const cache = memory?.stats?.total_inactive_file ?? memory?.stats?.inactive_file ?? 0;
  return Math.max(0, (memory?.usage ?? 0) - cache);
}
