import type { Command } from 'commander';
import { describeFault } from '../../model/fault.js';
import type { FaultView } from '../../protocol/api-types.js';
import type { FaultInput } from '../../protocol/fault-input.js';
import { type Context, clientOf, findSandbox } from '../context.js';
import { table } from '../output.js';
import { delay, header, integer, percent } from '../parse.js';

interface AddFlags {
  readonly to: string;
  readonly from?: string;
  readonly path?: string;
  readonly header?: [string, string][];
  readonly abort?: number;
  readonly delay?: { ms: number; jitterMs: number };
  readonly reset?: boolean;
  readonly percent?: number;
  readonly first?: number;
  readonly id?: string;
  readonly name?: string;
  readonly output: string;
}

export function addFault(program: Command, context: Context): void {
  const fault = program.command('fault').description('make services sick: add, list, remove, clear');
  fault
    .command('add')
    .description('inject a fault at the callee, where a sick service would fail; answers when every sidecar obeys')
    .requiredOption('--to <name>', 'service or workload that is sick')
    .option('--abort <status>', 'answer with this status', integer(200, 599))
    .option('--delay <time>', 'wait first, e.g. 2s or 300ms±50ms', delay)
    .option('--reset', 'reset the connection')
    .option('--percent <n>', 'share of the requests', percent)
    .option('--first <n>', 'only the first n requests', integer(1, 1_000_000))
    .option('--from <name>', 'only this caller (workload, service or SPIFFE ID)')
    .option('--path <prefix>', 'only paths that start so')
    .option('-H, --header <field>', 'only requests with this header, e.g. end-user=jason (repeatable)', header)
    .option('--id <name>', 'name of the fault (default f1, f2, …)')
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--name <name>', 'which sandbox')
    .action((flags: AddFlags) => add(context, flags));
  fault
    .command('list')
    .description('faults with their hits')
    .option('-o, --output <format>', 'text or json', 'text')
    .option('--name <name>', 'which sandbox')
    .action(async (flags: { name?: string; output: string }) => {
      const faults = await clientOf(findSandbox(context, flags.name)).call('faults', {});
      if (flags.output === 'json') context.output.json(faults);
      else print(context, faults);
    });
  fault
    .command('remove')
    .description('remove one fault')
    .argument('<fault>', 'its name')
    .option('--name <name>', 'which sandbox')
    .action(async (name: string, flags: { name?: string }) => {
      await clientOf(findSandbox(context, flags.name)).call('removeFault', { name });
      context.output.say(`${name} is gone`);
    });
  fault
    .command('clear')
    .description('remove all faults')
    .option('--name <name>', 'which sandbox')
    .action(async (flags: { name?: string }) => {
      const { removed } = await clientOf(findSandbox(context, flags.name)).call('clearFaults', {});
      context.output.say(`${removed} ${removed === 1 ? 'fault' : 'faults'} removed`);
    });
}

async function add(context: Context, flags: AddFlags): Promise<void> {
  const input: FaultInput = {
    to: flags.to,
    ...(flags.id === undefined ? {} : { name: flags.id }),
    ...(flags.from === undefined ? {} : { from: flags.from }),
    ...(flags.path === undefined ? {} : { path: flags.path }),
    ...(flags.header === undefined ? {} : { headers: Object.fromEntries(flags.header) }),
    ...(flags.delay === undefined ? {} : { delayMs: flags.delay.ms, jitterMs: flags.delay.jitterMs }),
    ...(flags.abort === undefined ? {} : { abort: flags.abort }),
    ...(flags.reset === undefined ? {} : { reset: flags.reset }),
    ...(flags.percent === undefined ? {} : { percent: flags.percent }),
    ...(flags.first === undefined ? {} : { first: flags.first }),
  };
  const fault = await clientOf(findSandbox(context, flags.name)).call('addFault', input);
  if (flags.output === 'json') return context.output.json(fault);
  const state = fault.active ? 'every sidecar obeys' : 'not every sidecar obeys yet';
  context.output.say(`${context.output.style('green', '✓')} ${fault.name}: ${describeFault(fault)} (${state})`);
  context.output.say(
    `  ${context.output.style('cyan', context.output.typed(`mesh-sandbox fault remove ${fault.name}`))} ends it`,
  );
}

function print({ output }: Context, faults: readonly FaultView[]): void {
  if (faults.length === 0)
    return output.say(output.typed('no faults; mesh-sandbox fault add --to ratings --abort 503 --percent 50 adds one'));
  const rows = faults.map((fault) => [
    fault.name,
    String(fault.hits),
    fault.enabled ? (fault.active ? 'on' : 'pending') : 'off',
    describeFault(fault),
  ]);
  for (const line of table(['NAME', 'HITS', 'STATE', 'WHAT'], rows)) output.print(line);
  for (const fault of faults)
    if (fault.enabled && fault.hits === 0) output.say(`  ! ${fault.name} has not met a request yet`);
}
