import type { MeshClient } from '../client/mesh-client.js';
import { type Clock, sleep } from '../platform/clock.js';
import type { Addresses, SandboxHost } from '../runtime/runtime.js';

/** Between two looks, ms: quick until the app listens, calm afterwards, as a sidecar looks at its app. */
const PERIOD = { waiting: 100, ready: 1_000 } as const;
/** How long the control plane may take for an answer, ms. */
const PATIENCE_MS = 3_000;

export interface OutsidersParts {
  readonly host: Pick<SandboxHost, 'addressOf'>;
  readonly client: Pick<MeshClient, 'call'>;
  readonly clock: Clock;
}

/**
 * Apps outside the mesh: no sidecar tells where they are and whether they answer, so the keeper does. It says so again
 * with every look, so that a control plane that lost its memory has it back.
 */
export class Outsiders {
  readonly #parts: OutsidersParts;
  readonly #watches = new Map<string, Watch>();

  constructor(parts: OutsidersParts) {
    this.#parts = parts;
  }

  /** Tells on which loopback ports they will be before any of them starts, so that they can be pointed at each other. */
  async announce(workloads: readonly string[], { appPorts }: Addresses): Promise<void> {
    for (const workload of workloads)
      await new Watch(this.#parts, workload, dialed(appPorts(workload))).report('127.0.0.1', false);
  }

  /** Watches an app that was started, until it is started again. */
  follow(workload: string, { appPorts }: Addresses): void {
    this.#watches.get(workload)?.close();
    const watch = new Watch(this.#parts, workload, dialed(appPorts(workload)));
    this.#watches.set(workload, watch);
    void watch.run();
  }

  close(): void {
    for (const watch of this.#watches.values()) watch.close();
  }
}

function dialed(ports: ReturnType<Addresses['appPorts']>): Record<string, number> {
  return Object.fromEntries(ports.map(({ port, target }) => [port, target]));
}

/** One app and where it is. */
class Watch {
  readonly #parts: OutsidersParts;
  readonly #workload: string;
  readonly #ports: Readonly<Record<string, number>>;
  #closed = false;

  constructor(parts: OutsidersParts, workload: string, ports: Readonly<Record<string, number>>) {
    this.#parts = parts;
    this.#workload = workload;
    this.#ports = ports;
  }

  close(): void {
    this.#closed = true;
  }

  async run(): Promise<void> {
    const { clock } = this.#parts;
    while (!this.#closed) {
      // What does not answer now, app, engine or control plane, is asked again.
      const ready = await this.#look().catch(() => false);
      await sleep(clock, ready ? PERIOD.ready : PERIOD.waiting);
    }
  }

  async report(address: string, ready: boolean): Promise<void> {
    const endpoint = { workload: this.#workload, address, ports: this.#ports, ready };
    await this.#parts.client.call('reportEndpoint', endpoint, PATIENCE_MS);
  }

  async #look(): Promise<boolean> {
    const { client, host } = this.#parts;
    const address = await host.addressOf(this.#workload);
    const endpoint = { workload: this.#workload, address, ports: this.#ports };
    // The control plane looks, since on Docker only the sandbox's own network leads there.
    const { accepts } = await client.call('probeEndpoint', endpoint, PATIENCE_MS);
    if (!this.#closed) await this.report(address, accepts);
    return accepts;
  }
}
