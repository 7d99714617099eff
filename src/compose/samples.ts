import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { nearest } from '../model/nearest.js';

/** Sample that `up` starts when nothing is named. */
const DEFAULT_SAMPLE = 'bookinfo';

/** The file that `up` was pointed at cannot be found or read. */
export class SourceError extends Error {
  readonly hints: readonly string[];
  constructor(message: string, hints: readonly string[]) {
    super(message);
    this.name = 'SourceError';
    this.hints = hints;
  }
}

/**
 * The Compose file that `argument` means: nothing = the default sample, a sample's name, or a path. Throws
 * {@link SourceError} with what there is.
 */
export function resolveSource(
  argument: string | null,
  cwd: string,
  packageRoot: string,
): { file: string; text: string } {
  const folder = join(packageRoot, 'compose');
  const sample = argument ?? DEFAULT_SAMPLE;
  const asSample = join(folder, `${sample}.yaml`);
  if (/^[a-z0-9-]+$/.test(sample) && existsSync(asSample))
    return { file: relative(cwd, asSample) || asSample, text: readFileSync(asSample, 'utf8') };
  const path = resolve(cwd, sample);
  if (existsSync(path) && statSync(path).isFile()) return { file: sample, text: readFileSync(path, 'utf8') };
  const samples = readdirSync(folder)
    .filter((name) => name.endsWith('.yaml'))
    .map((name) => name.slice(0, -'.yaml'.length));
  const close = nearest(sample, samples);
  throw new SourceError(
    `${JSON.stringify(sample)} is neither a sample nor a file${close === null ? '' : `; did you mean ${close}?`}`,
    [`samples: ${samples.join(', ')}`, 'or the path of a Compose file'],
  );
}
