import type { Socket } from 'node:net';
import { CLUSTER_DEFAULTS, type Cluster, ENDPOINT_DEFAULTS } from '../../src/model/cluster.js';
import { DEFAULT_SIDECAR_LIMITS } from '../../src/model/limits.js';
import { TRUST_DOMAIN } from '../../src/model/names.js';
import { NO_PROPAGATION } from '../../src/model/propagation.js';
import type { SidecarConfig } from '../../src/model/sidecar-config.js';
import { type Clock, systemClock } from '../../src/platform/clock.js';
import { seededRandom } from '../../src/platform/random.js';
import { onOutbound } from '../../src/proxy/outbound-listener.js';
import { listen, Sockets } from '../../src/proxy/servers.js';
import { Sidecar } from '../../src/proxy/sidecar.js';
import { cluster, forward, host, on, PORT, rule, to } from './one-sidecar.js';

/** A sidecar whose codec is looked at from both ends: raw bytes in, raw bytes out, every host to one back end. */
export interface OneCodec {
  readonly port: number;
  /** Its ends of the connections that callers opened, in their order. */
  readonly accepted: readonly Socket[];
  readonly sidecar: Sidecar;
  /** What the sidecar said about itself that it never should: bugs. */
  readonly bugs: readonly unknown[];
  close(): void;
}

export async function oneCodec(backendPort: number, clock: Clock = systemClock): Promise<OneCodec> {
  const accepted: Socket[] = [];
  const bugs: unknown[] = [];
  const note = (entry: unknown): void => void bugs.push(entry);
  const sidecar = new Sidecar({
    clock,
    random: seededRandom(1, 'test'),
    log: { debug: () => {}, info: () => {}, warn: note, error: note },
    workload: 'web-v1',
    edge: false,
    appPort: () => 0,
  });
  sidecar.apply(configOf(backendPort));
  const sockets = new Sockets(() => DEFAULT_SIDECAR_LIMITS.connections);
  const { server, port } = await listen('127.0.0.1', 0, sockets, (socket) => {
    accepted.push(socket);
    onOutbound(sidecar.outbound, socket, { address: '10.0.0.9', port: PORT });
  });
  return {
    port,
    accepted,
    sidecar,
    bugs,
    close() {
      server.close();
      sockets.destroyAll();
    },
  };
}

function configOf(backendPort: number): SidecarConfig {
  const all = rule('all', on(''), forward([to('back')]));
  const back: Cluster = {
    ...CLUSTER_DEFAULTS,
    name: cluster('back'),
    service: 'back',
    subset: '',
    port: PORT,
    protocol: 'http',
    // A machine full of connections that were closed just now may lose the first packet of a new one.
    connectTimeoutMs: 10_000,
    tls: null,
    endpoints: [{ ...ENDPOINT_DEFAULTS, address: '127.0.0.1', port: backendPort, workload: 'back-v1', version: 'v1' }],
  };
  return {
    version: 1,
    workload: { name: 'web-v1', app: 'web', version: 'v1', spiffeId: '' },
    trustDomain: TRUST_DOMAIN,
    seed: 1,
    role: 'sidecar',
    inbound: { mtls: 'permissive', ports: [], faults: [], callers: {}, rateLimits: [] },
    limits: DEFAULT_SIDECAR_LIMITS,
    outbound: {
      listeners: [{ service: 'back', virtualIp: '240.240.0.1', port: PORT, protocol: 'http' }],
      virtualHosts: [host([all], ['*'])],
      faults: [],
      clusters: [back],
      propagation: NO_PROPAGATION,
      unknownHosts: 'registry-only',
    },
    // Every record is needed here, however many there are.
    exchangesPerSecond: 1e9,
  };
}
