import type Dockerode from 'dockerode';
import { systemClock } from '../../platform/clock.js';
import { SandboxError } from '../runtime.js';
import { isMissing } from './engine-error.js';

/** Longest silence of a registry while an app's image is fetched, ms. */
const PATIENCE_MS = 60_000;

/** Fetches an image that a workload names and the engine does not have. Rejects with SandboxError naming it. */
export async function ensurePulled(docker: Dockerode, image: string): Promise<void> {
  if (await hasImage(docker, image)) return;
  try {
    await pullImage(docker, image, PATIENCE_MS);
  } catch (cause) {
    const why = cause instanceof Error ? (cause.message.split('\n')[0] ?? '') : String(cause);
    throw new SandboxError(`the image ${image} is not here and cannot be fetched: ${why}`, [`docker pull ${image}`], {
      cause,
    });
  }
}

/** True when the engine has the image (name or id). */
export async function hasImage(docker: Dockerode, image: string): Promise<boolean> {
  try {
    await docker.getImage(image).inspect();
    return true;
  } catch (error) {
    if (isMissing(error)) return false;
    throw error;
  }
}

/** Pulls an image; gives up, and tells the engine so, when the registry is silent for `patienceMs`. */
export function pullImage(docker: Dockerode, image: string, patienceMs: number): Promise<void> {
  return patiently(patienceMs, 'the registry does not answer', async (alive, signal) => {
    const stream = await docker.pull(/[:@][^/]*$/.test(image) ? image : `${image}:latest`, {
      abortSignal: signal,
    });
    await streamFinished(docker, stream, alive);
  });
}

/** Runs work that must show a sign of life (`alive`) at least every `patienceMs`; otherwise aborts it and rejects. */
export function patiently<T>(
  patienceMs: number,
  complaint: string,
  work: (alive: () => void, signal: AbortSignal) => Promise<T>,
): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = new AbortController();
    const giveUp = (): void => {
      reject(new Error(complaint));
      abort.abort();
    };
    let timer = systemClock.after(patienceMs, giveUp);
    const alive = (): void => {
      timer.cancel();
      timer = systemClock.after(patienceMs, giveUp);
    };
    work(alive, abort.signal)
      .then(resolve, reject)
      .finally(() => timer.cancel());
  });
}

/** Follows a progress stream to its end; rejects with the error that the engine writes into it. */
export function streamFinished(
  docker: Dockerode,
  stream: NodeJS.ReadableStream,
  onProgress: () => void = () => {},
): Promise<void> {
  return new Promise((resolve, reject) => {
    docker.modem.followProgress(
      stream,
      (error, output: { error?: string }[]) => {
        const failed = output?.find((line) => line.error !== undefined)?.error;
        if (error) reject(error);
        else if (failed !== undefined) reject(new Error(failed));
        else resolve();
      },
      onProgress,
    );
  });
}
