import type { Command } from 'commander';

const collect = (path: string, before: string[]): string[] => [...before, path];

/** Policy files of a command, behind it as istioctl has them or by `-f` as kubectl has them; see {@link namedFiles}. */
export function withFiles(command: Command, otherwise = ''): Command {
  return command
    .argument('[files...]', `files, folders or - for standard input${otherwise}`)
    .option('-f, --filename <path>', 'the same, as kubectl has it (repeatable)', collect, [])
    .option('-R, --recursive', 'as kubectl and istioctl have it: folders are read with all below them anyway');
}

/** All that were named, in either way. */
export function namedFiles(files: readonly string[], flags: { readonly filename: readonly string[] }): string[] {
  return [...files, ...flags.filename];
}
