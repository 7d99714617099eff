import { closeSync, constants, fsyncSync, openSync, renameSync, writeSync } from 'node:fs';

const { O_CREAT, O_NOFOLLOW, O_TRUNC, O_WRONLY } = constants;

/**
 * Writes a file whole or not at all, readable by its owner only: whoever dies in the middle leaves the old one. For what
 * is worth nothing once this machine has lost its power. Throws what the system throws.
 */
export function writeFileAtomic(path: string, content: string): void {
  replace(path, content, () => {});
}

/** The same for what must outlive a loss of power: the content is on the disk before the name is. */
export function writeFileDurable(path: string, content: string): void {
  replace(path, content, fsyncSync);
}

function replace(path: string, content: string, beforeClose: (file: number) => void): void {
  const temporary = `${path}.tmp`;
  // Never through a link that somebody put there.
  const file = openSync(temporary, O_WRONLY | O_CREAT | O_TRUNC | (O_NOFOLLOW ?? 0), 0o600);
  try {
    writeSync(file, content);
    beforeClose(file);
  } finally {
    closeSync(file);
  }
  renameSync(temporary, path);
}
