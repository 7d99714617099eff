import type { Endpoint, PoolSettings } from '../../model/cluster.js';
import type { SidecarConfig } from '../../model/sidecar-config.js';
import { type ClusterState, EndpointState } from '../pipeline/cluster.js';
import { plainCluster } from './state.js';

/** The own app's ports as clusters. One whose settings change is another one: its connections and counts are new. */
export class AppClusters {
  readonly #appPort: (port: number) => number;
  readonly #known = new Map<number, { readonly settings: string; readonly cluster: ClusterState }>();
  readonly #texts = new WeakMap<PoolSettings, string>();

  /** `appPort` = where the app of a declared port listens. */
  constructor(appPort: (port: number) => number) {
    this.#appPort = appPort;
  }

  /** Asked with each request. */
  at(port: number, { inbound, limits, workload }: SidecarConfig): ClusterState {
    const pool = inbound.pools?.[port];
    const settings = `${limits.appConnectMs} ${pool === undefined ? '' : this.#textOf(pool)}`;
    const known = this.#known.get(port);
    if (known?.settings === settings) return known.cluster;
    const plain = plainCluster(`inbound|${port}||`, '127.0.0.1', this.#appPort(port), workload.name);
    const config = {
      ...plain.config,
      limits: pool?.limits ?? plain.config.limits,
      connectTimeoutMs: pool?.connectTimeoutMs ?? limits.appConnectMs,
    };
    const endpoint = new EndpointState(config.endpoints[0] as Endpoint, `${plain.endpoints[0]?.key} ${settings}`, 0);
    const picker = { pick: () => endpoint, availabilityChanged: () => {} };
    const cluster = { ...plain, config, endpoints: [endpoint], picker };
    this.#known.set(port, { settings, cluster });
    return cluster;
  }

  #textOf(pool: PoolSettings): string {
    let text = this.#texts.get(pool);
    if (text === undefined) {
      text = JSON.stringify(pool);
      this.#texts.set(pool, text);
    }
    return text;
  }
}
