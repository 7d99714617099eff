import type { Endpoint, PoolSettings } from '../../model/cluster.js';
import { type ClusterState, EndpointState } from '../pipeline/cluster.js';
import { plainCluster } from './state.js';

/** The own app's ports as clusters. One whose settings change is another one: its connections and counts are new. */
export class AppClusters {
  readonly #appPort: (port: number) => number;
  readonly #known = new Map<number, { readonly settings: string; readonly cluster: ClusterState }>();
  readonly #pools = new WeakMap<PoolSettings, string>();

  /** `appPort` = where the app of a declared port listens. */
  constructor(appPort: (port: number) => number) {
    this.#appPort = appPort;
  }

  at(port: number, pool: PoolSettings | undefined, workload: string): ClusterState {
    const settings = pool === undefined ? '' : this.#textOf(pool);
    const known = this.#known.get(port);
    if (known?.settings === settings) return known.cluster;
    const plain = plainCluster(`inbound|${port}||`, '127.0.0.1', this.#appPort(port), workload);
    const cluster = pool === undefined ? plain : limited(plain, pool, settings);
    this.#known.set(port, { settings, cluster });
    return cluster;
  }

  /** Asked with each request. */
  #textOf(pool: PoolSettings): string {
    let text = this.#pools.get(pool);
    if (text === undefined) {
      text = JSON.stringify(pool);
      this.#pools.set(pool, text);
    }
    return text;
  }
}

function limited(plain: ClusterState, { limits }: PoolSettings, settings: string): ClusterState {
  const config = { ...plain.config, limits };
  const key = `${plain.endpoints[0]?.key} ${settings}`;
  const endpoint = new EndpointState(config.endpoints[0] as Endpoint, key, 0);
  return {
    ...plain,
    config,
    endpoints: [endpoint],
    picker: { pick: () => endpoint, availabilityChanged: () => {} },
  };
}
