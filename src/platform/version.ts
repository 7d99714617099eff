import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Version of the package whose root is given. */
export function versionAt(packageRoot: string): string {
  return (JSON.parse(readFileSync(join(packageRoot, 'package.json'), 'utf8')) as { version: string }).version;
}
