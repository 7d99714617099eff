import type { Command } from 'commander';
import type { WorkloadSpec } from '../../model/app.js';
import { nearest } from '../../model/nearest.js';
import { SandboxError } from '../../runtime/runtime.js';
import { sandboxPlan } from '../../sandbox/plan.js';
import { type Context, findSandbox, hostOf } from '../context.js';
import { printable } from '../output.js';
import { integer } from '../parse.js';

interface LogFlags {
  readonly name?: string;
  readonly follow?: boolean;
  readonly tail: number;
  readonly sidecar?: boolean;
}

export function addLogs(program: Command, context: Context): void {
  program
    .command('logs')
    .description('output of an app, a sidecar (--sidecar), or control-plane, gateway, load')
    .argument('[workload]', 'workload or part', 'control-plane')
    .option('-f, --follow', 'go on')
    .option('--tail <n>', 'last n lines', integer(0, 1_000_000), 50)
    .option('--sidecar', "the sidecar's output instead of the app's")
    .option('--name <name>', 'which sandbox')
    .action((workload: string, flags: LogFlags) => run(context, workload, flags));
}

async function run(context: Context, workload: string, flags: LogFlags): Promise<void> {
  const state = findSandbox(context, flags.name);
  const part = partOf(workload, sandboxPlan(context.home, state).app.workloads, flags.sidecar === true);
  const controller = new AbortController();
  process.once('SIGINT', () => controller.abort());
  const host = await hostOf(context, state);
  const lines = host.logs(part, { tail: flags.tail, follow: flags.follow === true, signal: controller.signal });
  for await (const line of lines) context.output.print(printable(line));
}

function partOf(workload: string, workloads: readonly WorkloadSpec[], sidecar: boolean): string {
  if (['control-plane', 'gateway', 'load'].includes(workload)) return workload;
  const found = workloads.find(({ name }) => name === workload);
  if (sidecar && found?.meshed === false)
    throw new SandboxError(`${workload} stands outside the mesh: it has no sidecar`, [`mesh-sandbox logs ${workload}`]);
  if (found !== undefined) return `${workload}/${sidecar ? 'sidecar' : 'app'}`;
  const known = [...workloads.map(({ name }) => name), 'control-plane', 'gateway', 'load'];
  const close = nearest(workload, known);
  throw new SandboxError(
    `unknown workload ${JSON.stringify(workload)}${close === null ? '' : `; did you mean ${close}?`}`,
    [`there are: ${known.join(', ')}`],
  );
}
