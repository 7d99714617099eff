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
  const titles = differences.map((one) => `${one.about}${whoWords(one.who, sidecars)}`);
  for (const title of new Set(titles)) {
    const group = differences.filter((_, i) => titles[i] === title);
    output.print('');
    output.print(output.style('bold', printable(title)));
    for (const { kind, text, source } of group) {
      const [color, mark] = MARKS[kind];
      const place = source === null ? '' : output.style('dim', ` (${printable(source.file)}:${source.line})`);
      output.print(`  ${output.style(color, mark)} ${printable(text)}${place}`);
    }
  }
  if (differences.length === 0) output.say('nothing changes for anybody');
}

/** Of callers: whose; of callees the title says it already. */
function whoWords(who: readonly string[], sidecars: number): string {
  if (who.length === sidecars) return ', for everybody';
  return who.length > 4 ? `, for ${who.slice(0, 3).join(', ')} and ${who.length - 3} more` : `, for ${who.join(', ')}`;
}
