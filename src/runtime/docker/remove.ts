import type Dockerode from 'dockerode';
import { sleep, systemClock } from '../../platform/clock.js';
import { SandboxError, type SandboxIdentity } from '../runtime.js';
import { isGone, isMissing } from './engine-error.js';
import { filterOf, isOurs } from './labels.js';

/** How often something that is still in use is tried again, every 50 ms: endpoints drain, others remove too. */
const TRIES = 100;
const TRY_EVERY_MS = 50;
/** Looks for containers: what a killed command had asked for may appear after the first one. */
const LOOKS = 5;

type Owned = Pick<SandboxIdentity, 'owner' | 'id'>;

/**
 * Removes every container, then every network and volume that carries both labels of the sandbox; nothing else is ever
 * named to the engine. Containers and networks go by id, whose labels cannot change; volumes have only names, so theirs
 * are read again first. Idempotent. Returns what was removed.
 */
export async function removeAll(docker: Dockerode, identity: Owned): Promise<string[]> {
  const removed: string[] = [];
  for (let look = 0; look < LOOKS; look++) {
    const found = await removeContainers(docker, identity);
    removed.push(...found);
    if (found.length === 0) break;
  }
  const rest = await Promise.all([removeNetworks(docker, identity), removeVolumes(docker, identity)]);
  return [...new Set([...removed, ...rest.flat()])];
}

async function removeContainers(docker: Dockerode, identity: Owned): Promise<string[]> {
  const containers = await docker.listContainers({ all: true, filters: filterOf(identity) });
  const ours = containers.filter(({ Labels }) => isOurs(Labels, identity));
  await Promise.all(
    ours.map(({ Id }) =>
      docker
        .getContainer(Id)
        .remove({ force: true, v: true })
        // 409: somebody else is removing it right now; the next look waits for that.
        .catch((error: unknown) => (isGone(error) ? sleep(systemClock, TRY_EVERY_MS) : Promise.reject(error))),
    ),
  );
  return ours.map(({ Names, Id }) => `container ${Names[0]?.replace(/^\//, '') ?? Id}`);
}

async function removeNetworks(docker: Dockerode, identity: Owned): Promise<string[]> {
  const networks = await docker.listNetworks({ filters: filterOf(identity) });
  const ours = networks.filter(({ Labels }) => isOurs(Labels, identity));
  await Promise.all(
    ours.map(({ Id, Name }) =>
      untilDone(() => docker.getNetwork(Id).remove()).catch(async (error: unknown) => {
        throw (await isEmpty(docker, Id)) ? miscounted(Name, error) : error;
      }),
    ),
  );
  return ours.map(({ Name }) => `network ${Name}`);
}

async function isEmpty(docker: Dockerode, id: string): Promise<boolean> {
  const { Containers } = (await docker.getNetwork(id).inspect()) as { Containers?: object };
  return Object.keys(Containers ?? {}).length === 0;
}

/** Engines that count a network's endpoints in their store lose count when many are made at once and time is short. */
function miscounted(name: string, cause: unknown): SandboxError {
  return new SandboxError(
    `the engine says that something still uses network ${name}, and that nothing is attached to it: it has lost count`,
    ['restart the Docker Engine, then: mesh-sandbox down'],
    { cause },
  );
}

async function removeVolumes(docker: Dockerode, identity: Owned): Promise<string[]> {
  // The type wants a string, the engine takes what it takes for containers.
  const { Volumes } = await docker.listVolumes({ filters: filterOf(identity) as never });
  const ours = (Volumes ?? []).filter(({ Labels }) => isOurs(Labels, identity));
  await Promise.all(ours.map(({ Name }) => untilDone(() => removeVolume(docker, Name, identity))));
  return ours.map(({ Name }) => `volume ${Name}`);
}

async function removeVolume(docker: Dockerode, name: string, identity: Owned): Promise<void> {
  const volume = docker.getVolume(name);
  const { Labels } = await volume.inspect();
  if (isOurs(Labels, identity)) await volume.remove();
}

/** Tries again while the engine says "in use"; content when it is gone. */
async function untilDone(remove: () => Promise<unknown>): Promise<void> {
  for (let left = TRIES; ; left--) {
    try {
      await remove();
      return;
    } catch (error) {
      if (isMissing(error)) return;
      const { statusCode = 0 } = error as { statusCode?: number };
      if (left === 0 || (statusCode !== 403 && statusCode !== 409)) throw error;
      await sleep(systemClock, TRY_EVERY_MS);
    }
  }
}
