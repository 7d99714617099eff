import type Dockerode from 'dockerode';
import type { ContainerCreateOptions } from 'dockerode';
import type { WorkloadSpec } from '../../model/app.js';
import { SandboxError } from '../runtime.js';
import { appSpec, initSpec, pauseSpec, refuseSidecarsUser, type SpecParts, sidecarSpec } from './container-specs.js';
import { isMissing, isSoAlready, withEngine } from './engine-error.js';
import { logText } from './logs.js';

export interface PodParts {
  readonly docker: Dockerode;
  readonly specs: () => SpecParts;
  /** Creates the container of a part; resolves with its id. */
  readonly create: (part: string, spec: ContainerCreateOptions) => Promise<string>;
  /** Id of a part's container; rejects when there is none. */
  readonly idOf: (part: string) => Promise<string>;
}

/** Pods of one sandbox: a pause container that owns the namespace, an init container that writes its rules, and the two that live in it. */
export class Pods {
  readonly #parts: PodParts;
  /** False once the engine has said that IPv6 cannot be switched off per pod (kernels without it). */
  #ipv6Switch = true;

  constructor(parts: PodParts) {
    this.#parts = parts;
  }

  /** Creates a pod whose namespace runs and is intercepted, with sidecar and app stopped. */
  async create(workload: WorkloadSpec): Promise<void> {
    refuseSidecarsUser(workload);
    const withSwitch = this.#ipv6Switch;
    try {
      await this.#build(workload);
    } catch (error) {
      if (!withSwitch || !(error instanceof Error) || !error.message.includes('disable_ipv6')) throw error;
      this.#ipv6Switch = false;
      await this.#discard(workload.name);
      await this.#build(workload);
    }
  }

  /** Starts a dead namespace again; it comes back empty, so the rules are written anew. */
  async restart(workload: string): Promise<void> {
    const pause = this.#parts.docker.getContainer(await this.#parts.idOf(`${workload}/pause`));
    await withEngine(`starting the pod of ${workload}`, () =>
      pause.start().catch((error: unknown) => {
        if (!isSoAlready(error)) throw error;
      }),
    );
    await this.#intercept(workload, await this.#parts.idOf(`${workload}/init`));
  }

  async #build(workload: WorkloadSpec): Promise<void> {
    const { name } = workload;
    const { create, specs } = this.#parts;
    const pause = await create(`${name}/pause`, pauseSpec(specs(), workload, this.#ipv6Switch));
    // The others only need the pause container's id, so they are made while it starts.
    await allOf([
      this.#startNamespace(name, pause),
      create(`${name}/sidecar`, sidecarSpec(specs(), name, pause)),
      create(`${name}/app`, appSpec(specs(), workload, pause)),
    ]);
  }

  async #discard(workload: string): Promise<void> {
    const { docker, idOf } = this.#parts;
    const remove = async (part: string): Promise<void> => {
      const id = await idOf(`${workload}/${part}`);
      await docker.getContainer(id).remove({ force: true });
    };
    await withEngine(`making the pod of ${workload} again`, () =>
      Promise.all(
        ['app', 'sidecar', 'init', 'pause'].map((part) =>
          remove(part).catch((error: unknown) => {
            if (!isMissing(error)) throw error;
          }),
        ),
      ),
    );
  }

  async #startNamespace(workload: string, pauseId: string): Promise<void> {
    const { docker, create, specs } = this.#parts;
    const [init] = await allOf([
      create(`${workload}/init`, initSpec(specs(), workload, pauseId)),
      withEngine(`starting the pod of ${workload}`, () => docker.getContainer(pauseId).start()),
    ]);
    await this.#intercept(workload, init);
  }

  /** Runs the init container and insists on exit code 0. */
  async #intercept(workload: string, initId: string): Promise<void> {
    const init = this.#parts.docker.getContainer(initId);
    const code = await withEngine(`intercepting the traffic of ${workload}`, async () => {
      await init.start();
      return ((await init.wait()) as { StatusCode: number }).StatusCode;
    });
    if (code === 0) return;
    throw new SandboxError(`the traffic of ${workload} cannot be intercepted: ${await logText(init)}`, [
      'the kernel of the engine needs iptables REDIRECT (nf_nat)',
      'mesh-sandbox up --runtime local',
    ]);
  }
}

/** As Promise.all, but waits for all of them before it fails: nothing is still being made when the caller hears of it. */
async function allOf<T extends readonly unknown[]>(work: readonly [...{ [K in keyof T]: Promise<T[K]> }]): Promise<T> {
  await Promise.allSettled(work);
  return (await Promise.all(work)) as unknown as T;
}
