import { programsFolder } from './programs.js';
import { type Runtime, type RuntimeKind, SandboxError } from './runtime.js';

export interface RuntimeWish {
  readonly kind: 'auto' | RuntimeKind;
  readonly dockerHost?: string | null;
  /** An image to use in place of ours. */
  readonly image?: string | null;
  /** Label of what is made (the image). */
  readonly owner?: string;
}

/**
 * Finds the runtime that was asked for. `auto` takes Docker when an engine answers, else local processes, and the
 * description says which and why. Rejects with SandboxError when Docker was demanded and does not answer.
 */
export async function chooseRuntime(wish: RuntimeWish): Promise<Runtime> {
  if (wish.kind === 'local') return localRuntime('as asked');
  const { findEngine } = await import('./docker/endpoint.js');
  const found = await findEngine({ dockerHost: wish.dockerHost ?? null, environment: process.env });
  if (found.engine !== null) {
    const { DockerRuntime } = await import('./docker/docker-runtime.js');
    return new DockerRuntime(found.engine, {
      programs: programsFolder(),
      image: wish.image ?? null,
      ...(wish.owner === undefined ? {} : { owner: wish.owner }),
    });
  }
  const tried = found.tried.map(({ where, problem }) => `${where}: ${problem}`);
  if (wish.kind === 'auto') return localRuntime(`no Docker Engine answers: ${tried[0] ?? 'none found'}`);
  throw new SandboxError(`no Docker Engine answers\n${tried.map((line) => `  tried ${line}`).join('\n')}`, [
    howToStart(process.platform),
    'mesh-sandbox up --runtime local   (works now, without Docker)',
  ]);
}

/** Loads what `chooseRuntime` will need, so that a process that waits for its orders does not wait again after them. */
export async function preloadRuntime(kind: RuntimeWish['kind']): Promise<void> {
  if (kind === 'local') await import('./local/local-runtime.js');
  else await Promise.all([import('./docker/endpoint.js'), import('./docker/docker-runtime.js')]);
}

async function localRuntime(why: string): Promise<Runtime> {
  const { LocalRuntime } = await import('./local/local-runtime.js');
  return new LocalRuntime(why, programsFolder());
}

function howToStart(platform: NodeJS.Platform): string {
  switch (platform) {
    case 'darwin':
      return 'open -a Docker   (or: colima start, orb start)';
    case 'win32':
      return 'start Docker Desktop';
    default:
      return 'sudo systemctl start docker   (or: systemctl --user start podman.socket)';
  }
}
