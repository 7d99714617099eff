import type { Endpoint } from '../../model/cluster.js';
import type { SidecarConfig } from '../../model/sidecar-config.js';
import { type ClusterState, EndpointState } from '../pipeline/cluster.js';
import { plainCluster } from './state.js';

/** The own app's ports as clusters. One whose settings change is another one: its connections and counts are new. */
export class AppClusters {
  readonly #appPort: (port: number) => number;
  readonly #known = new Map<number, AppCluster>();

  /** `appPort` = where the app of a declared port listens. */
  constructor(appPort: (port: number) => number) {
    this.#appPort = appPort;
  }

  /** Asked with each request: what a configuration says is looked at once. */
  at(port: number, config: SidecarConfig): ClusterState {
    const known = this.#known.get(port);
    if (known?.config === config) return known.cluster;
    const settings = JSON.stringify([config.limits.appConnectMs, config.inbound.pools?.[port]]);
    const cluster = known?.settings === settings ? known.cluster : this.#make(port, config, settings);
    this.#known.set(port, { config, settings, cluster });
    return cluster;
  }

  #make(port: number, { inbound, limits, workload }: SidecarConfig, settings: string): ClusterState {
    const pool = inbound.pools?.[port];
    const plain = plainCluster(`inbound|${port}||`, '127.0.0.1', this.#appPort(port), workload.name);
    const config = {
      ...plain.config,
      limits: pool?.limits ?? plain.config.limits,
      connectTimeoutMs: pool?.connectTimeoutMs ?? limits.appConnectMs,
    };
    const endpoint = new EndpointState(config.endpoints[0] as Endpoint, `${plain.endpoints[0]?.key} ${settings}`, 0);
    return { ...plain, config, endpoints: [endpoint], picker: { pick: () => endpoint, availabilityChanged: () => {} } };
  }
}

interface AppCluster {
  /** The newest configuration that it was made of, or that says the same of it. */
  readonly config: SidecarConfig;
  readonly settings: string;
  readonly cluster: ClusterState;
}
