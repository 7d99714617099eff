import type { Cluster, EjectionPolicy } from '../../model/cluster.js';
import type { Incident } from '../../model/timeline.js';
import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import type { ClusterState } from '../pipeline/cluster.js';
import { AccrualWatch } from './accrual.js';
import { OutlierWatch } from './outlier.js';

/** What happened to an endpoint; who reports it, and when, is added by the recorder. */
export type BreakerEvent = Omit<Incident, 'at' | 'reporter'>;

export interface BreakerParts {
  readonly clock: Clock;
  readonly random: Random;
  readonly onEvent: (event: BreakerEvent) => void;
}

/** Watches the endpoints of one cluster under one policy. */
export interface ClusterWatch {
  /** The cluster has other endpoints now; those that stay keep what is known of them. */
  follow(cluster: ClusterState): void;
  /** Nobody watches any more: what was put aside comes back. */
  close(): void;
}

/** The watches of all clusters of a sidecar. One of a policy that did not change goes on over configurations. */
export class Breakers {
  readonly #parts: BreakerParts;
  readonly #watches = new Map<string, { readonly policy: string; readonly watch: ClusterWatch }>();

  constructor(parts: BreakerParts) {
    this.#parts = parts;
  }

  /** From now on these are the clusters. */
  follow(clusters: ReadonlyMap<string, ClusterState>): void {
    for (const [name, { watch }] of this.#watches) {
      const cluster = clusters.get(name);
      if (cluster?.config.ejection != null) continue;
      watch.close();
      this.#watches.delete(name);
      // It was made ready while some were still aside.
      cluster?.picker.availabilityChanged();
    }
    for (const cluster of clusters.values()) if (cluster.config.ejection !== null) this.#watch(cluster);
  }

  close(): void {
    for (const { watch } of this.#watches.values()) watch.close();
    this.#watches.clear();
  }

  #watch(cluster: ClusterState): void {
    const { name, ejection } = cluster.config;
    const policy = JSON.stringify(ejection);
    const known = this.#watches.get(name);
    if (known?.policy === policy) return known.watch.follow(cluster);
    known?.watch.close();
    const watch = watchOf(ejection as EjectionPolicy, this.#parts);
    this.#watches.set(name, { policy, watch });
    watch.follow(cluster);
  }
}

function watchOf(policy: EjectionPolicy, parts: BreakerParts): ClusterWatch {
  return policy.kind === 'outlier' ? new OutlierWatch(policy, parts) : new AccrualWatch(policy, parts);
}

/** The endpoint's part of an event. */
export function aboutEndpoint(
  { service }: Cluster,
  { config, address }: { readonly config: { readonly workload: string }; readonly address: string },
): Pick<BreakerEvent, 'service' | 'workload' | 'endpoint'> {
  return { service, workload: config.workload, endpoint: address };
}
