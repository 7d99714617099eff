import type { Clock } from '../platform/clock.js';
import type { KeeperPlan } from '../protocol/keeper-messages.js';
import type { Addresses, PartName, Runtime, SandboxHost } from '../runtime/runtime.js';
import { firstAnswer } from './first-answer.js';
import { groundSteps, type Step } from './steps.js';

/** Parts of a sandbox without a mesh, and how each starts: the same every time. */
export class PlainParts {
  readonly #plan: KeeperPlan;
  readonly #host: SandboxHost;
  #addresses: Addresses | null = null;

  constructor(plan: KeeperPlan, host: SandboxHost) {
    this.#plan = plan;
    this.#host = host;
  }

  async open(): Promise<void> {
    this.#addresses = await this.#host.open();
  }

  async create(part: PartName): Promise<void> {
    await this.#host.createPart(part);
    await this.restart(part);
  }

  async restart(part: PartName): Promise<void> {
    const addresses = this.#addresses;
    if (addresses === null) throw new Error('the sandbox has no network yet');
    if (part === 'baseline') return this.#host.start(part, JSON.stringify(this.#baseline(addresses)));
    if (part === 'load') return this.#host.start(part, JSON.stringify(this.#load(addresses)));
    return this.#host.start(part, null, this.#direct(addresses));
  }

  #baseline(addresses: Addresses) {
    const { service, port } = this.#plan.app.gateway;
    const local = this.#direct(addresses)[`out:${service}:${port}`];
    const target = addresses.interception === 'explicit' ? `http://127.0.0.1:${local}` : `http://${service}:${port}`;
    return { program: 'baseline', lifeline: this.#lifeline, listen: addresses.gatewayListen, target };
  }

  #load({ gatewayUrl }: Addresses) {
    const { app, loadRps, seed } = this.#plan;
    return {
      program: 'load',
      lifeline: this.#lifeline,
      gatewayUrl,
      seed,
      fixed: { rps: loadRps, paths: app.load.paths },
    };
  }

  /** Loopback without sidecars: a service is the first of its workloads, since nobody is there to balance. */
  #direct({ interception, appPorts }: Addresses): Record<string, number> {
    if (interception !== 'explicit') return {};
    const ports: Record<string, number> = {};
    for (const { name, app } of this.#plan.app.workloads) {
      for (const { port, target } of appPorts(name)) ports[`out:${app}:${port}`] ??= target;
    }
    return ports;
  }

  get #lifeline(): boolean {
    return this.#plan.runtime.kind === 'local';
  }
}

export interface PlainBringUp {
  readonly plan: KeeperPlan;
  readonly runtime: Runtime;
  readonly host: SandboxHost;
  readonly clock: Clock;
}

/** The literal list of what `up --no-mesh` does: the same app behind a plain reverse proxy, on the same port, under the same load. */
export function bringUpPlain({ plan, runtime, host, clock }: PlainBringUp, parts: PlainParts): Step[] {
  const apps = plan.app.workloads.map(({ name }) => `${name}/app`);
  return [
    ...groundSteps(runtime, () => parts.open()),
    {
      name: 'apps',
      run: async () => {
        await Promise.all([...apps.map((part) => parts.create(part)), host.createPart('load')]);
        return `${apps.length} started, no sidecars`;
      },
    },
    {
      name: 'reverse proxy',
      run: async () => {
        await parts.create('baseline');
        const status = await firstAnswer(
          `http://127.0.0.1:${plan.gatewayPort}${plan.app.load.paths[0] ?? '/'}`,
          clock,
          30_000,
        );
        return `${status} through http-proxy, in plaintext`;
      },
    },
  ];
}
