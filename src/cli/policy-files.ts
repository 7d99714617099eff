import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join, relative } from 'node:path';
import type { PolicyFileInput } from '../protocol/api-types.js';
import { SandboxError } from '../runtime/runtime.js';

const ENDINGS = /\.(ya?ml|json)$/;

/**
 * The policy files that are named: files, folders (what ends in .yaml, .yml or .json, deeper too) and `-` for standard
 * input. Names are as they were typed. Throws SandboxError for what is not there.
 */
export function policyFiles(paths: readonly string[]): PolicyFileInput[] {
  if (paths.length === 0)
    throw new SandboxError('no policy file is named', [
      'a file, a folder, or - for standard input: mesh-sandbox apply policies.yaml',
    ]);
  return paths.flatMap((path) => {
    if (path === '-') return [{ name: '<stdin>', text: readFileSync(0, 'utf8') }];
    if (/^https?:/.test(path))
      throw new SandboxError(`${path} is not fetched`, [`curl -fsSL ${path} | mesh-sandbox apply -f -`]);
    const files = filesIn(path);
    if (files.length === 0) throw new SandboxError(`${path} holds no .yaml, .yml or .json file`);
    return files.map((file) => ({ name: file, text: readFileSync(file, 'utf8') }));
  });
}

function filesIn(path: string): string[] {
  try {
    if (!statSync(path).isDirectory()) return [path];
  } catch {
    throw new SandboxError(`there is no ${path}`, [`it was looked for in ${process.cwd()}`]);
  }
  return readdirSync(path, { withFileTypes: true })
    .toSorted((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const inside = join(path, entry.name);
      if (entry.isDirectory()) return filesIn(inside);
      return ENDINGS.test(entry.name) ? [inside] : [];
    });
}

/** A path as people know it from where they are. */
export function shortPath(path: string): string {
  const short = relative(process.cwd(), path);
  return short.startsWith('..') ? path : short;
}
