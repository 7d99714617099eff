import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { nearest } from '../model/nearest.js';

/** Sample that `up` starts when nothing is named. */
const DEFAULT_SAMPLE = 'bookinfo';

/** What Compose looks for in a folder, first one first. */
const IN_FOLDER = ['compose.yaml', 'compose.yml', 'docker-compose.yaml', 'docker-compose.yml'];

/** The file that `up` was pointed at cannot be found or read. */
export class SourceError extends Error {
  readonly hints: readonly string[];
  constructor(message: string, hints: readonly string[], options?: ErrorOptions) {
    super(message, options);
    this.name = 'SourceError';
    this.hints = hints;
  }
}

export interface Source {
  /** Path as the user would write it, for messages. */
  readonly file: string;
  readonly text: string;
}

/**
 * The Compose file that `argument` means: nothing = the default sample, a sample's name, a path, or a folder with a Compose
 * file in it. Throws {@link SourceError} with what there is.
 */
export function resolveSource(argument: string | null, cwd: string, packageRoot: string): Source {
  const samples = join(packageRoot, 'compose');
  const name = argument ?? DEFAULT_SAMPLE;
  const sample = join(samples, `${name}.yaml`);
  if (/^[a-z0-9-]+$/.test(name) && existsSync(sample)) return read(sample, relative(cwd, sample));
  const path = resolve(cwd, name);
  const kind = statSync(path, { throwIfNoEntry: false });
  if (kind?.isDirectory()) return inFolder(path, name);
  if (kind !== undefined) return read(path, name);
  throw unknown(name, samples);
}

function inFolder(folder: string, shown: string): Source {
  const file = IN_FOLDER.find((candidate) => existsSync(join(folder, candidate)));
  if (file !== undefined) return read(join(folder, file), join(shown, file));
  throw new SourceError(`there is no Compose file in ${JSON.stringify(shown)}`, [
    `looked for: ${IN_FOLDER.join(', ')}`,
  ]);
}

function read(path: string, shown: string): Source {
  try {
    return { file: shown, text: readFileSync(path, 'utf8') };
  } catch (cause) {
    const why = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new SourceError(`${JSON.stringify(shown)} cannot be read: ${why}`, [], { cause });
  }
}

function unknown(name: string, folder: string): SourceError {
  const samples = readdirSync(folder)
    .filter((file) => file.endsWith('.yaml'))
    .map((file) => file.slice(0, -'.yaml'.length));
  const close = nearest(name, samples);
  return new SourceError(
    `${JSON.stringify(name)} is neither a sample nor a file${close === null ? '' : `; did you mean ${close}?`}`,
    [`samples: ${samples.join(', ')}`, 'or the path of a Compose file'],
  );
}
