import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { SandboxError } from './runtime.js';

/** Where the image keeps our programs; the same names lie in `dist/container`. */
export const IMAGE_PROGRAMS = '/opt/mesh-sandbox';
/** Tag under which Compose files name our image. */
export const IMAGE_NAME = 'mesh-sandbox:local';

/** Root of this package: the nearest folder above with a package.json of ours. */
export function packageRoot(): string {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, 'package.json'))) {
    const above = dirname(folder);
    if (above === folder)
      throw new SandboxError('the files of mesh-sandbox are incomplete', ['npm install mesh-sandbox']);
    folder = above;
  }
  return folder;
}

/** Folder of the bundled container programs. Throws when they were not built. */
export function programsFolder(): string {
  const folder = join(packageRoot(), 'dist', 'container');
  if (existsSync(join(folder, 'proxy.cjs'))) return folder;
  throw new SandboxError('the programs of the mesh are not built', ['npm run build']);
}
