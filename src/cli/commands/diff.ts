import type { Command } from 'commander';
import type { DiffResult } from '../../protocol/api-types.js';
import { type Context, clientOf, findSandbox } from '../context.js';
import { namedFiles, withFiles } from '../files-option.js';
import { countFindings, printFindings } from '../findings-text.js';
import { EXIT, printable } from '../output.js';
import { policyFiles } from '../policy-files.js';

interface DiffFlags {
  readonly filename: string[];
  readonly output: string;
  readonly name?: string;
}

type Difference = DiffResult['differences'][number];

const MARKS = { added: ['green', '+'], removed: ['red', '-'], changed: ['yellow', '~'] } as const;

/** `diff`: what an `apply` would change, for whom, in words. */
export function addDiff(program: Command, context: Context): void {
  const command = program
    .command('diff')
    .description('what applying policy files would change, and for whom, in words; nothing is applied');
  withFiles(command)
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--name <name>', 'which sandbox')
    .action(async (paths: string[], flags: DiffFlags) => {
      const client = clientOf(findSandbox(context, flags.name));
      const [result, workloads] = await Promise.all([
        client.call('diffResources', { files: policyFiles(namedFiles(paths, flags)) }),
        client.call('workloads', {}),
      ]);
      if (result.findings.some(({ level }) => level === 'error')) process.exitCode = EXIT.findings;
      if (flags.output === 'json') context.output.json(result);
      else printDiff(context, result, workloads.filter(({ role }) => role !== 'none').length);
    });
}

function printDiff({ output }: Context, { changes, findings, differences }: DiffResult, sidecars: number): void {
  printFindings(findings, output, (line) => output.say(line));
  if (findings.some(({ level }) => level === 'error')) {
    output.say(`${output.style('red', '✗')} it would not be applied: ${countFindings(findings)}`);
    return;
  }
  for (const { object, change } of changes) if (change !== 'unchanged') output.print(`${printable(object)} ${change}`);
  for (const { title, lines } of blocksOf(differences, sidecars)) {
    output.print('');
    output.print(output.style('bold', printable(title)));
    for (const { kind, text, source } of lines) {
      const [color, mark] = MARKS[kind];
      const place = source === null ? '' : output.style('dim', ` (${printable(source.file)}:${source.line})`);
      output.print(`  ${output.style(color, mark)} ${printable(text)}${place}`);
    }
  }
  if (differences.length === 0) output.say('nothing changes for anybody');
}

interface Block {
  readonly title: string;
  readonly lines: readonly Difference[];
}

/** What is about the same for the same, under one title; what is the same at several callees, once for all of them. */
function blocksOf(differences: readonly Difference[], sidecars: number): Block[] {
  const titles = new Map<string, Difference[]>();
  for (const one of differences) {
    const title = JSON.stringify([one.about, one.who]);
    titles.set(title, [...(titles.get(title) ?? []), one]);
  }
  const blocks = new Map<string, { readonly callees: string[]; readonly rest: string; readonly lines: Difference[] }>();
  for (const [title, lines] of titles) {
    const { about, who } = lines[0] as Difference;
    const [, callee = '', rest = ''] = /^callers of (\S+)(.*)$/.exec(about) ?? [];
    // The title of a callee says already for whom it is.
    const own = who.length === 1 && who[0] === callee;
    const key = own ? JSON.stringify([rest, lines.map(({ kind, text }) => [kind, text])]) : title;
    const block = blocks.get(key) ?? { callees: [], rest: own ? rest : `${about}${whoWords(who, sidecars)}`, lines };
    if (own) block.callees.push(callee);
    blocks.set(key, block);
  }
  return [...blocks.values()].map(({ callees, rest, lines }) => ({
    title: callees.length === 0 ? rest : `callers of ${listed(callees)}${rest}`,
    lines,
  }));
}

function whoWords(who: readonly string[], sidecars: number): string {
  return who.length === sidecars ? ', for everybody' : `, for ${listed(who)}`;
}

function listed(names: readonly string[]): string {
  return names.length > 4 ? `${names.slice(0, 3).join(', ')} and ${names.length - 3} more` : names.join(', ');
}
