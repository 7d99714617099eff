import { accessSync, constants, readFileSync } from 'node:fs';

/** Content of a file; null when it is missing or may not be read. */
export function readOptional(path: string): Buffer | null {
  try {
    return readFileSync(path);
  } catch {
    return null;
  }
}

/** Why a Unix socket cannot be used, found out without opening it; null when nothing speaks against it. */
export function stateOfSocket(path: string): string | null {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'there is no such socket';
    return 'no permission (is your user in the group docker?)';
  }
}
