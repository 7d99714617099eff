import { rmSync } from 'node:fs';
import type Dockerode from 'dockerode';
import { sleep, systemClock } from '../../platform/clock.js';
import type { Runtime, SandboxIdentity, SandboxPlan } from '../runtime.js';
import { DockerSandbox } from './docker-sandbox.js';
import type { Engine } from './endpoint.js';
import { isGone, withEngine } from './engine-error.js';
import { ensureImage } from './image.js';
import { filterOf, isOurs, LABEL } from './labels.js';

export interface DockerOptions {
  /** Folder of the bundled container programs. */
  readonly programs: string;
  readonly image: string | null;
  readonly owner?: string;
}

/** How often the network is tried again while its last endpoints drain. */
const NETWORK_TRIES = 20;

/** The mesh as pods of containers on a Docker Engine (or what speaks its API). */
export class DockerRuntime implements Runtime {
  readonly kind = 'docker';
  readonly description: string;
  readonly engine: Engine;
  readonly #docker: Dockerode;
  readonly #options: DockerOptions;
  #image: string;

  constructor(engine: Engine, options: DockerOptions) {
    this.engine = engine;
    this.#docker = engine.docker;
    this.#options = options;
    this.#image = options.image ?? '';
    this.description = `Docker Engine ${engine.version} at ${engine.host} (${engine.why})`;
  }

  prepare(progress: (text: string) => void): Promise<string> {
    return withEngine('preparing the image', async () => {
      const { programs, image, owner = 'unknown' } = this.#options;
      const ready = await ensureImage({ docker: this.#docker, programs, owner, wanted: image }, progress);
      this.#image = ready.image;
      return ready.text;
    });
  }

  sandbox(plan: SandboxPlan): DockerSandbox {
    return new DockerSandbox(this.#docker, plan, () => this.#image);
  }

  async remove(identity: SandboxIdentity, directory: string): Promise<readonly string[]> {
    const removed = await withEngine('removing the sandbox', async () => [
      ...(await this.#removeContainers(identity)),
      ...(await this.#removeNetworks(identity)),
      ...(await this.#removeVolumes(identity)),
    ]);
    rmSync(directory, { recursive: true, force: true });
    return removed;
  }

  find(owner: string): Promise<readonly { id: string; name: string; running: boolean }[]> {
    return withEngine('looking for sandboxes', async () => {
      const containers = await this.#docker.listContainers({
        all: true,
        filters: { label: [`${LABEL.owner}=${owner}`] },
      });
      const found = new Map<string, { id: string; name: string; running: boolean }>();
      for (const { Labels, State } of containers) {
        const id = Labels[LABEL.sandbox] ?? '';
        const known = found.get(id);
        found.set(id, {
          id,
          name: Labels[LABEL.name] ?? '',
          running: (known?.running ?? false) || State === 'running',
        });
      }
      return [...found.values()];
    });
  }

  async publisherOf(port: number): Promise<string | null> {
    const containers = await withEngine('looking at ports', () => this.#docker.listContainers());
    const holder = containers.find(({ Ports }) => Ports.some(({ PublicPort }) => PublicPort === port));
    if (holder === undefined) return null;
    const project = holder.Labels['com.docker.compose.project'];
    return `container ${holder.Names[0]?.replace(/^\//, '') ?? holder.Id}${project === undefined ? '' : ` (project ${project})`}`;
  }

  async #removeContainers(identity: SandboxIdentity): Promise<string[]> {
    const containers = await this.#docker.listContainers({ all: true, filters: filterOf(identity) });
    const ours = containers.filter(({ Labels }) => isOurs(Labels, identity));
    await Promise.all(
      ours.map(({ Id }) => this.#docker.getContainer(Id).remove({ force: true, v: true }).catch(ignoreGone)),
    );
    return ours.map(({ Names }) => `container ${Names[0]?.replace(/^\//, '')}`);
  }

  async #removeNetworks(identity: SandboxIdentity): Promise<string[]> {
    const networks = await this.#docker.listNetworks({ filters: filterOf(identity) });
    const ours = networks.filter(({ Labels }) => isOurs(Labels, identity));
    for (const { Id } of ours) await this.#removeNetwork(Id);
    return ours.map(({ Name }) => `network ${Name}`);
  }

  async #removeNetwork(id: string): Promise<void> {
    for (let left = NETWORK_TRIES; ; left--) {
      try {
        await this.#docker.getNetwork(id).remove();
        return;
      } catch (error) {
        if ((error as { statusCode?: number }).statusCode === 404) return;
        if (left === 0) throw error;
        await sleep(systemClock, 50);
      }
    }
  }

  async #removeVolumes(identity: SandboxIdentity): Promise<string[]> {
    const { Volumes } = await this.#docker.listVolumes({ filters: filterOf(identity) as never });
    const ours = (Volumes ?? []).filter(({ Labels }) => isOurs(Labels, identity));
    await Promise.all(ours.map(({ Name }) => this.#docker.getVolume(Name).remove().catch(ignoreGone)));
    return ours.map(({ Name }) => `volume ${Name}`);
  }
}

/** Somebody else removed it (404), or is about to (409): both are what we want. */
function ignoreGone(error: unknown): void {
  if (!isGone(error)) throw error;
}
