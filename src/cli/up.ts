import { randomInt } from 'node:crypto';
import { join } from 'node:path';
import type { AppSpec } from '../model/app.js';
import { flavorOf } from '../model/flavor.js';
import { systemClock } from '../platform/clock.js';
import { isRunning } from '../platform/process-info.js';
import type { PolicyFileInput } from '../protocol/api-types.js';
import { chooseRuntime } from '../runtime/choose.js';
import { packageRoot } from '../runtime/programs.js';
import { type Runtime, SandboxError } from '../runtime/runtime.js';
import { down } from '../sandbox/down.js';
import type { SandboxState } from '../sandbox/home.js';
import { up } from '../sandbox/up.js';
import { loadApp } from './app-source.js';
import { printApplied } from './applied-text.js';
import { type Context, clientOf, DEFAULT_NAME, runtimeOf } from './context.js';
import { countFindings, printFindings } from './findings-text.js';
import { safeName } from './names.js';
import { formatMs } from './output.js';
import { policyFiles } from './policy-files.js';
import { StepsView } from './steps-view.js';
import type { UpFlags } from './up-flags.js';
import { watchSandbox } from './watch.js';

/** The action of `up`: read, build, and watch unless detached. */
export async function runUp(context: Context, source: string | null, flags: UpFlags): Promise<void> {
  const app = loadApp(context, source);
  const policies = flags.filename.length === 0 ? [] : await policiesOf(context, flags.filename);
  for (const { message } of app.warnings) if (flags.json !== true) context.output.say(`  ! ${message}`);
  const name = flags.name ?? safeName(app.name);
  // First of all: a home that cannot be written is told as such.
  context.home.owner();
  const state = (await existing(context, name)) ?? (await build(context, name, app, flags));
  if (policies.length > 0) await applyTo(context, state, policies);
  if (flags.detach === true) return;
  await watchSandbox(context, state, { json: flags.json === true, tui: flags.tui });
}

/** Files that cannot be applied are told before anything is built. Throws SandboxError. */
async function policiesOf({ output }: Context, paths: readonly string[]): Promise<PolicyFileInput[]> {
  const files = policyFiles(paths);
  const { findings } = (await import('../resources/read.js')).readResources(files, 0);
  if (!findings.some(({ level }) => level === 'error')) return files;
  printFindings(findings, output, (line) => output.say(line));
  throw new SandboxError(`the policies cannot be applied: ${countFindings(findings)}`, [
    `mesh-sandbox analyze ${paths.map((path) => `-f ${path}`).join(' ')}`,
  ]);
}

async function applyTo(context: Context, state: SandboxState, files: readonly PolicyFileInput[]): Promise<void> {
  const result = await clientOf(state).call('applyResources', { files });
  printApplied(context, result);
  if (!result.applied)
    throw new SandboxError('the sandbox is up, and its policies were not applied', [
      'mesh-sandbox apply -f FILE',
      'mesh-sandbox down',
    ]);
}

/** A second `up` of the same name attaches; what a crash left behind is removed first. */
async function existing(context: Context, name: string): Promise<SandboxState | null> {
  const { home, output } = context;
  const state = home.read(name);
  if (state === null) {
    if (home.isBeingMade(name))
      throw new SandboxError(`another command is starting ${name} at this moment`, [
        `mesh-sandbox up --name ${name}   (again, in a second: it attaches)`,
      ]);
    // A claim that was never completed: its command died before it wrote anything.
    home.forget(name);
    return null;
  }
  if (isRunning(state.keeper)) {
    output.say(`${name} is up already: ${gatewayUrl(state)}`);
    return state;
  }
  output.say(`${name} was left behind by a crash; removing what is left of it`);
  await down(home, state, await runtimeOf(state), systemClock.now);
  return null;
}

async function build(context: Context, name: string, app: AppSpec, flags: UpFlags): Promise<SandboxState> {
  const { home, output } = context;
  const started = systemClock.now();
  const findRuntime = async (): Promise<Runtime> => {
    const runtime = await chooseRuntime({
      kind: flags.runtime,
      dockerHost: flags.dockerHost ?? null,
      image: flags.image ?? null,
      owner: home.owner(),
    });
    if (flags.json !== true) output.say(`${output.style('bold', `mesh-sandbox up ${name}`)} on ${runtime.description}`);
    return runtime;
  };
  const view = new StepsView(output, flags.json === true);
  const interrupt = interruption(context, name);
  try {
    const state = await up(home, {
      name,
      app,
      runtimeWish: flags.runtime,
      findRuntime,
      dockerHost: flags.dockerHost ?? null,
      image: flags.image ?? null,
      gatewayPort: flags.port,
      flavor: flags.flavor,
      seed: flags.seed ?? randomInt(2 ** 31 - 1),
      features: { mtls: flags.mtls ?? flavorOf(flags.flavor).mtls, retries: true },
      loadRps: flags.load ?? app.load.rps,
      mesh: flags.mesh,
      leafMs: flags.certificateLife ?? null,
      keeperProgram: join(packageRoot(), 'dist', 'keeper', 'main.js'),
      now: systemClock.now,
      onStep: (step) => view.step(step),
      signal: interrupt.signal,
    });
    if (flags.json === true)
      output.print(
        JSON.stringify({ type: 'ready', name, gatewayUrl: gatewayUrl(state), ms: systemClock.now() - started }),
      );
    else welcome(context, state, app, systemClock.now() - started);
    return state;
  } finally {
    interrupt.done();
  }
}

/** First Ctrl-C: undo everything in order. Second: leave at once, with the one command that cleans up. */
function interruption({ output }: Context, name: string): { signal: AbortSignal; done(): void } {
  const controller = new AbortController();
  const onSignal = (): void => {
    if (controller.signal.aborted) {
      output.say(`\nleft as it is; to clean up: ${output.typed(`mesh-sandbox down --name ${name}`)}`);
      process.exit(130);
    }
    output.say('\nstopping and removing everything … (Ctrl-C again to leave at once)');
    controller.abort();
  };
  const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
  for (const signal of signals) process.on(signal, onSignal);
  return {
    signal: controller.signal,
    done: () => {
      for (const signal of signals) process.off(signal, onSignal);
    },
  };
}

/** The five lines that a newcomer needs. */
function welcome({ output }: Context, state: SandboxState, app: AppSpec, ms: number): void {
  const url = `${gatewayUrl(state)}${app.load.paths[0] ?? '/'}`;
  const at = state.name === DEFAULT_NAME ? '' : ` --name ${state.name}`;
  output.say('');
  output.say(`${output.style('green', 'ready')} in ${formatMs(ms)}: ${output.style('bold', url)}`);
  if (!state.mesh) {
    output.say(
      `  a plain reverse proxy, no sidecars: compare with ${output.style('cyan', output.typed('mesh-sandbox down && mesh-sandbox up'))}`,
    );
    return;
  }
  const service = app.services.some(({ name }) => name === 'ratings')
    ? 'ratings'
    : (app.services[0]?.name ?? 'SERVICE');
  const lines: [string, string][] = [
    [`mesh-sandbox ui${at}`, 'see every request live'],
    [`mesh-sandbox fault add --to ${service} --abort 503 --percent 50${at}`, 'make a service sick, watch retries'],
    [`mesh-sandbox explain last${at}`, 'why a request went as it did'],
    [`mesh-sandbox down${at}`, 'remove everything'],
  ];
  for (const [command, what] of lines) {
    output.say(`  ${output.style('cyan', output.typed(command).padEnd(66))} ${what}`);
  }
}

function gatewayUrl(state: SandboxState): string {
  return `http://127.0.0.1:${state.gatewayPort}`;
}
