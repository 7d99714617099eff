import type { Command } from 'commander';
import { systemClock } from '../../platform/clock.js';
import { isRunning } from '../../platform/process-info.js';
import { chooseRuntime } from '../../runtime/choose.js';
import { SandboxError } from '../../runtime/runtime.js';
import { down } from '../../sandbox/down.js';
import type { SandboxState } from '../../sandbox/home.js';
import { type Context, clientOf, findSandbox, runtimeOf } from '../context.js';
import { table } from '../output.js';

/** `down`, `list`, `ui`. */
export function addLifecycle(program: Command, context: Context): void {
  program
    .command('down')
    .description('remove a sandbox: containers, networks, processes, files; nothing else is touched')
    .option('--name <name>', 'which one')
    .option('--all', 'every sandbox of this installation, also what crashes left behind')
    .action((flags: { name?: string; all?: boolean }) =>
      flags.all === true ? downAll(context) : downOne(context, flags.name),
    );
  program
    .command('list')
    .description('sandboxes on this machine')
    .option('-o, --output <format>', 'text or json', 'text')
    .action((flags: { output: string }) => list(context, flags.output === 'json'));
  program
    .command('ui')
    .description('open the terminal UI; leaving it leaves the sandbox as it is')
    .option('--name <name>', 'which sandbox')
    .action(async (flags: { name?: string }) => {
      const state = findSandbox(context, flags.name);
      if (!context.output.isTty)
        throw new SandboxError('the terminal UI needs a terminal', ['mesh-sandbox tap', 'mesh-sandbox status']);
      const { openUi } = await import('../watch.js');
      await openUi(context, state, false);
    });
}

async function downOne(context: Context, name: string | undefined): Promise<void> {
  const { home, output } = context;
  if (name === undefined && home.list().length === 0) {
    output.say('nothing is running');
    return removeLeftovers(context);
  }
  const state = findSandbox(context, name);
  const started = systemClock.now();
  await down(home, state, await runtimeOf(state), systemClock.now);
  output.say(
    `${output.style('green', '✓')} ${state.name} is down (${((systemClock.now() - started) / 1000).toFixed(1)} s)`,
  );
}

async function downAll(context: Context): Promise<void> {
  for (const { name } of context.home.list()) await downOne(context, name);
  await removeLeftovers(context);
}

/** What carries our labels but is remembered nowhere: its state was lost. */
async function removeLeftovers({ home, output }: Context): Promise<void> {
  const owner = home.owner();
  const runtime = await chooseRuntime({ kind: 'auto', owner });
  const known = new Set(home.list().map(({ id }) => id));
  for (const { id, name } of await runtime.find(owner)) {
    if (known.has(id)) continue;
    const removed = await runtime.remove({ id, name, owner }, home.directoryOf(`.left-${id}`));
    output.say(`${output.style('green', '✓')} removed what was left of ${name} (${removed.length} objects)`);
  }
}

async function list(context: Context, json: boolean): Promise<void> {
  const { home, output } = context;
  const rows = await Promise.all(
    home.list().map(async (state) => {
      const status = state.mesh
        ? await clientOf(state)
            .call('status', {}, 1_000)
            .catch(() => null)
        : null;
      return {
        name: state.name,
        app: state.app,
        runtime: state.runtime,
        url: `http://127.0.0.1:${state.gatewayPort}`,
        state: stateOf(state, status?.ready ?? null),
        keeper: isRunning(state.keeper),
        since: new Date(state.createdAt).toISOString(),
      };
    }),
  );
  if (json) return output.json(rows);
  if (rows.length === 0) return output.say(output.typed('no sandbox is running; mesh-sandbox up starts one'));
  for (const line of table(
    ['NAME', 'APP', 'RUNTIME', 'STATE', 'URL', 'SINCE'],
    rows.map((row) => [
      row.name,
      row.app,
      row.runtime,
      row.keeper ? row.state : `${row.state}, unattended`,
      row.url,
      row.since,
    ]),
  ))
    output.print(line);
}

function stateOf(state: SandboxState, ready: boolean | null): string {
  if (!isRunning(state.keeper) && ready === null) return 'stopped';
  if (!state.mesh) return 'no mesh';
  return ready === null ? 'starting' : ready ? 'ready' : 'not ready';
}
