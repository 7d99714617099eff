import { createInterface } from 'node:readline';

/**
 * Reads the bootstrap of a program of ours: the first line of standard input, as JSON. With `lifeline` in it the process
 * ends (through `onOrphaned`) when standard input ends, which means that the keeper is gone.
 */
export function readBootstrap<T extends { readonly lifeline: boolean }>(onOrphaned: () => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const lines = createInterface({ input: process.stdin });
    let bootstrap: T | null = null;
    lines.on('line', (line) => {
      if (bootstrap !== null) return;
      try {
        bootstrap = JSON.parse(line) as T;
        resolve(bootstrap);
        if (!bootstrap.lifeline) lines.close();
      } catch (error) {
        reject(new Error('the bootstrap on standard input is not JSON', { cause: error }));
      }
    });
    lines.on('close', () => {
      if (bootstrap === null) reject(new Error('standard input ended before the bootstrap came'));
      else if (bootstrap.lifeline) onOrphaned();
      else process.stdin.destroy();
    });
  });
}

/** Runs `stop` once on SIGTERM or SIGINT. */
export function onTermination(stop: () => void): void {
  let stopping = false;
  const once = (): void => {
    if (stopping) return;
    stopping = true;
    stop();
  };
  process.on('SIGTERM', once);
  process.on('SIGINT', once);
}
