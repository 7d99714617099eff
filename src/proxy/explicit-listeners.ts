import type { Server } from 'node:net';
import type { SidecarConfig } from '../model/sidecar-config.js';
import type { SidecarBootstrap } from '../protocol/bootstrap.js';
import { onExplicitOutbound } from './outbound-listener.js';
import { listen, type Sockets } from './servers.js';
import type { Sidecar } from './sidecar.js';

/**
 * Listeners without interception (local runtime): one loopback port per app port inbound, one per service and port that
 * the app may call. Ports are taken once and kept; after a restart the same ones are asked for again.
 */
export class ExplicitListeners {
  /** `in:<port>` and `out:<service>:<port>` → bound port. */
  readonly ports: Record<string, number> = {};
  readonly servers: Server[] = [];
  readonly #sidecar: Sidecar;
  readonly #sockets: Sockets;
  readonly #bootstrap: SidecarBootstrap;

  constructor(sidecar: Sidecar, sockets: Sockets, bootstrap: SidecarBootstrap) {
    this.#sidecar = sidecar;
    this.#sockets = sockets;
    this.#bootstrap = bootstrap;
  }

  async openInbound(): Promise<void> {
    for (const { port } of this.#bootstrap.appPorts) {
      await this.#open(`in:${port}`, (socket) => this.#sidecar.inbound.accept(socket, port));
    }
  }

  /** Opens what a new configuration names; tells whether there was anything new. */
  async follow(config: SidecarConfig): Promise<boolean> {
    if (this.#bootstrap.interception !== 'explicit' || this.#bootstrap.program === 'gateway') return false;
    let changed = false;
    for (const { service, port } of config.outbound.listeners) {
      const name = `out:${service}:${port}`;
      if (name in this.ports) continue;
      await this.#open(name, (socket) => onExplicitOutbound(this.#sidecar.outbound, socket, service, port));
      changed = true;
    }
    return changed;
  }

  async #open(name: string, onConnection: Parameters<typeof listen>[3]): Promise<void> {
    const wanted = this.#bootstrap.listenPorts[name] ?? 0;
    const { server, port } = await listen(this.#bootstrap.bindHost, wanted, this.#sockets, onConnection);
    this.servers.push(server);
    this.ports[name] = port;
  }
}
