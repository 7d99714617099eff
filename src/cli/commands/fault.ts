import { type Command, Option } from 'commander';
import { CONNECTION_FAULTS, type ConnectionFault, describeFault, isOver } from '../../model/fault.js';
import { systemClock } from '../../platform/clock.js';
import type { FaultView } from '../../protocol/api-types.js';
import type { FaultInput } from '../../protocol/fault-input.js';
import { type Context, clientOf, findSandbox } from '../context.js';
import { table } from '../output.js';
import { delay, duration, header, integer, percent } from '../parse.js';

interface AddFlags {
  readonly to: string;
  readonly from?: string;
  readonly path?: string;
  readonly header?: [string, string][];
  readonly abort?: number;
  readonly delay?: { ms: number; jitterMs: number };
  readonly reset?: boolean;
  readonly blackhole?: boolean;
  readonly connection?: ConnectionFault;
  readonly bandwidth?: number;
  readonly truncate?: number;
  readonly corrupt?: boolean;
  readonly slowClose?: number;
  readonly percent?: number;
  readonly first?: number;
  readonly every?: number;
  readonly for?: number;
  readonly id?: string;
  readonly name?: string;
  readonly output: string;
}

export function addFault(program: Command, context: Context): void {
  const fault = program.command('fault').description('make services sick: add, list, remove, clear');
  fault
    .command('add')
    .description('inject a fault where a sick service would fail; answers when every sidecar obeys')
    .requiredOption('--to <name>', 'service or workload that is sick')
    .option('--abort <status>', 'answer with this status', integer(200, 599))
    .option('--delay <time>', 'wait first, e.g. 2s or 300ms±50ms', delay)
    .option('--reset', 'reset the connection')
    .option('--blackhole', 'never answer')
    .option('--bandwidth <bytes>', 'answer this slowly, bytes per second', integer(1, 1_000_000_000))
    .option('--truncate <bytes>', 'cut the answer after so many bytes of its body', integer(0, 1_000_000_000))
    .option('--corrupt', 'change one byte of the answer')
    .option('--slow-close <time>', 'end the answer so much later', duration)
    .addOption(new Option('--connection <how>', "let callers' connections fail").choices([...CONNECTION_FAULTS]))
    .option('--percent <n>', 'share of the requests', percent)
    .option('--first <n>', 'only the first n requests', integer(1, 1_000_000))
    .option('--every <n>', 'only every nth request', integer(1, 1_000_000))
    .option('--for <time>', 'only so long, e.g. 30s', duration)
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
      const client = clientOf(findSandbox(context, flags.name));
      const hits = (await client.call('faults', {})).find((fault) => fault.name === name)?.hits;
      await client.call('removeFault', { name });
      const did =
        hits === 0
          ? '; it never met a request'
          : hits === undefined
            ? ''
            : ` after ${hits} ${hits === 1 ? 'hit' : 'hits'}`;
      context.output.say(`${name} is gone${did}`);
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
    ...(flags.blackhole === undefined ? {} : { blackhole: flags.blackhole }),
    ...(flags.connection === undefined ? {} : { connection: flags.connection }),
    ...(flags.bandwidth === undefined ? {} : { bytesPerSecond: flags.bandwidth }),
    ...(flags.truncate === undefined ? {} : { truncateAfter: flags.truncate }),
    ...(flags.corrupt === undefined ? {} : { corrupt: flags.corrupt }),
    ...(flags.slowClose === undefined ? {} : { slowCloseMs: flags.slowClose }),
    ...(flags.every === undefined ? {} : { every: flags.every }),
    ...(flags.for === undefined ? {} : { forMs: flags.for }),
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
  const rows = faults.map((fault) => [fault.name, String(fault.hits), stateOf(fault), describeFault(fault)]);
  for (const line of table(['NAME', 'HITS', 'STATE', 'WHAT'], rows)) output.print(line);
  for (const fault of faults)
    if (fault.enabled && fault.hits === 0)
      output.say(`  ! ${fault.name} has not met a request ${isOver(fault, systemClock.now()) ? 'in its time' : 'yet'}`);
}

function stateOf(fault: FaultView): string {
  if (!fault.enabled) return 'off';
  if (isOver(fault, systemClock.now())) return 'over';
  return fault.active ? 'on' : 'pending';
}
