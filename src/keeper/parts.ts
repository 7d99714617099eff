import type { MeshClient } from '../client/mesh-client.js';
import type { Clock } from '../platform/clock.js';
import type { KeeperPlan } from '../protocol/keeper-messages.js';
import type { Addresses, PartName, SandboxHost } from '../runtime/runtime.js';
import { controlPlaneBootstrap, loadBootstrap, type Start, sidecarBootstrap } from './bootstraps.js';
import { Outsiders } from './outsiders.js';

/**
 * Starts the parts of a sandbox, the first time and every time after: a part that comes back gets a new one-time token
 * and the ports it had.
 */
export class Parts {
  readonly #plan: KeeperPlan;
  readonly #host: SandboxHost;
  readonly #client: MeshClient;
  readonly #outsiders: Outsiders;
  readonly #incarnations = new Map<PartName, number>();
  #addresses: Addresses | null = null;
  #trustBundle = '';

  constructor(plan: KeeperPlan, host: SandboxHost, client: MeshClient, clock: Clock) {
    this.#plan = plan;
    this.#host = host;
    this.#client = client;
    this.#outsiders = new Outsiders({ host, client, clock });
  }

  /** Everything that this sandbox consists of, except pods. */
  get names(): PartName[] {
    return [
      'control-plane',
      'gateway',
      'load',
      ...this.#plan.app.workloads.flatMap(({ name, meshed }) => [
        ...(meshed ? [`${name}/sidecar`] : []),
        `${name}/app`,
      ]),
    ];
  }

  async open(): Promise<void> {
    this.#addresses = await this.#host.open();
  }

  async startControlPlane(): Promise<void> {
    await this.#host.start('control-plane', JSON.stringify(controlPlaneBootstrap(this.#plan, this.#known())));
  }

  /** Fetches what sidecars need to believe the control plane. */
  async learnTrust(): Promise<void> {
    this.#trustBundle = (await this.#client.call('trustBundle', {})).pem;
  }

  /** Starts `gateway`, `load` or `<workload>/sidecar`, each with a join token of its own. */
  async startMembers(members: readonly PartName[]): Promise<void> {
    const { tokens } = await this.#client.call('mintJoinTokens', { workloads: members.map(workloadOf) });
    await Promise.all(members.map((part) => this.#startMember(part, tokens[workloadOf(part)] ?? '')));
  }

  async #startMember(part: PartName, joinToken: string): Promise<void> {
    const workload = workloadOf(part);
    const incarnation = this.#incarnations.get(part) ?? 0;
    this.#incarnations.set(part, incarnation + 1);
    const start: Start = {
      workload,
      joinToken,
      trustBundle: this.#trustBundle,
      incarnation,
      listenPorts: incarnation === 0 ? {} : await this.#listenPorts(workload),
    };
    const bootstrap =
      part === 'load'
        ? loadBootstrap(this.#plan, this.#known(), start)
        : sidecarBootstrap(this.#plan, this.#known(), start);
    await this.#host.start(part, JSON.stringify(bootstrap));
  }

  /** Starts every app. Those outside the mesh are told first where the others are, where nobody's calls are intercepted. */
  async startApps(): Promise<void> {
    const outside = this.#plan.app.workloads.filter(({ meshed }) => !meshed).map(({ name }) => name);
    if (this.#known().interception === 'explicit') await this.#outsiders.announce(outside, this.#known());
    await Promise.all(this.#plan.app.workloads.map(({ name }) => this.startApp(name)));
  }

  async startApp(workload: string): Promise<void> {
    await this.#host.start(`${workload}/app`, null, await this.#listenPorts(workload));
    if (this.#plan.app.workloads.some(({ name, meshed }) => name === workload && !meshed))
      this.#outsiders.follow(workload, this.#known());
  }

  /** From now on nothing is watched. */
  close(): void {
    this.#outsiders.close();
  }

  /** Starts any part again after it ended. */
  async restart(part: PartName): Promise<void> {
    if (part === 'control-plane') return this.startControlPlane();
    if (part.endsWith('/app')) return this.startApp(part.slice(0, -'/app'.length));
    if (part.endsWith('/pod')) return this.#restartPod(part.slice(0, -'/pod'.length));
    return this.startMembers([part]);
  }

  /** A pod's namespace is gone and with it everything in it. */
  async #restartPod(workload: string): Promise<void> {
    await this.#host.stop(`${workload}/sidecar`, 0);
    await this.#host.stop(`${workload}/app`, 0);
    await this.#host.start(`${workload}/pod`, null);
    await this.startMembers([`${workload}/sidecar`]);
    await this.startApp(workload);
  }

  async #listenPorts(workload: string): Promise<Readonly<Record<string, number>>> {
    if (this.#known().interception !== 'explicit') return {};
    const views = await this.#client.call('workloads', {});
    return views.find(({ name }) => name === workload)?.listenPorts ?? {};
  }

  #known(): Addresses {
    if (this.#addresses === null) throw new Error('the sandbox has no network yet');
    return this.#addresses;
  }
}

function workloadOf(part: PartName): string {
  return part.replace(/\/sidecar$/, '');
}
