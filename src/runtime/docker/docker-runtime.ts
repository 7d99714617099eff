import { rmSync } from 'node:fs';
import type Dockerode from 'dockerode';
import type { Runtime, SandboxIdentity, SandboxPlan } from '../runtime.js';
import { DockerSandbox } from './docker-sandbox.js';
import type { Engine } from './endpoint.js';
import { withEngine } from './engine-error.js';
import { ensureImage } from './image.js';
import { LABEL } from './labels.js';
import { publisherOf } from './publisher.js';
import { removeAll } from './remove.js';

export interface DockerOptions {
  /** Folder of the bundled container programs. */
  readonly programs: string;
  readonly image: string | null;
  readonly owner?: string;
  /** Name of the image that is made, without tag; tests use one of their own. */
  readonly repository?: string;
}

/** The mesh as pods of containers on a Docker Engine (or what speaks its API). */
export class DockerRuntime implements Runtime {
  readonly kind = 'docker';
  readonly description: string;
  readonly engine: Engine;
  readonly #docker: Dockerode;
  readonly #options: DockerOptions;
  /** Those of this process, by id: a removal stops them from making more. */
  readonly #sandboxes = new Map<string, DockerSandbox>();
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
      const { programs, image, owner = 'unknown', repository = 'mesh-sandbox' } = this.#options;
      const ready = await ensureImage({ docker: this.#docker, programs, owner, repository, wanted: image }, progress);
      this.#image = ready.image;
      return ready.text;
    });
  }

  sandbox(plan: SandboxPlan): DockerSandbox {
    const sandbox = new DockerSandbox(this.#docker, plan, () => this.#image);
    this.#sandboxes.set(plan.id, sandbox);
    return sandbox;
  }

  async remove(identity: SandboxIdentity, directory: string): Promise<readonly string[]> {
    await this.#sandboxes.get(identity.id)?.close();
    const removed = await withEngine('removing the sandbox', () => removeAll(this.#docker, identity));
    rmSync(directory, { recursive: true, force: true });
    return removed;
  }

  find(owner: string): Promise<readonly { id: string; name: string; running: boolean }[]> {
    return withEngine('looking for sandboxes', async () => {
      const filters = { label: [`${LABEL.owner}=${owner}`, LABEL.sandbox] };
      const [containers, networks, { Volumes: volumes }] = await Promise.all([
        this.#docker.listContainers({ all: true, filters }),
        this.#docker.listNetworks({ filters }),
        // The type wants a string, the engine takes what it takes for containers.
        this.#docker.listVolumes({ filters: filters as never }),
      ]);
      const found = new Map<string, { id: string; name: string; running: boolean }>();
      for (const { Labels: labels, State: state } of [
        ...containers,
        ...[...networks, ...(volumes ?? [])].map(({ Labels }) => ({ Labels, State: '' })),
      ]) {
        const [id, name] = [labels?.[LABEL.sandbox] ?? '', labels?.[LABEL.name] ?? ''];
        found.set(id, { id, name, running: (found.get(id)?.running ?? false) || state === 'running' });
      }
      return [...found.values()];
    });
  }

  publisherOf(port: number): Promise<string | null> {
    return withEngine('looking at ports', () => publisherOf(this.#docker, port));
  }
}
