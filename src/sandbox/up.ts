import { type ChildProcess, fork } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { openSync } from 'node:fs';
import { join } from 'node:path';
import { newApiToken } from '../keeper/bootstraps.js';
import type { AppSpec } from '../model/app.js';
import { startTimeOf } from '../platform/process-info.js';
import type { Features } from '../protocol/api-types.js';
import type { FromKeeper, KeeperPlan, StepReport, ToKeeper } from '../protocol/keeper-messages.js';
import { freePort, portHolder } from '../runtime/ports.js';
import { type Runtime, type RuntimeKind, SandboxError } from '../runtime/runtime.js';
import { down } from './down.js';
import type { Home, SandboxState } from './home.js';

export interface UpOptions {
  readonly name: string;
  readonly app: AppSpec;
  readonly runtimeWish: 'auto' | RuntimeKind;
  /** Finds the runtime that is wished for, while the keeper's process starts. */
  readonly findRuntime: () => Promise<Runtime>;
  readonly dockerHost: string | null;
  readonly image: string | null;
  readonly gatewayPort: number;
  readonly seed: number;
  readonly flavor: string;
  readonly features: Features;
  readonly loadRps: number;
  /** False = `--no-mesh`: a plain reverse proxy in place of gateway and sidecars. */
  readonly mesh: boolean;
  /** Life of a certificate, ms; null = one hour. */
  readonly leafMs: number | null;
  /** Program of the keeper. */
  readonly keeperProgram: string;
  readonly now: () => number;
  readonly onStep: (step: StepReport) => void;
  /** Aborted by the first Ctrl-C: everything is undone. */
  readonly signal: AbortSignal;
}

/**
 * Brings a sandbox up: claims the name, checks the port, writes down what will exist, and lets a keeper build it. Rejects
 * with SandboxError when it fails or is aborted; by then everything is undone.
 */
export async function up(home: Home, options: UpOptions): Promise<SandboxState> {
  if (!home.claim(options.name))
    throw new SandboxError(`there is a sandbox named ${options.name} already`, [
      `mesh-sandbox down --name ${options.name}`,
    ]);
  const { keeper, runtime, plan } = await prepared(home, options).catch((error: unknown) => {
    home.forget(options.name);
    throw error;
  });
  const running: SandboxState = {
    ...stateOf(plan, options),
    keeper: { pid: keeper.pid ?? 0, startTime: startTimeOf(keeper.pid ?? 0) },
  };
  try {
    home.write(running);
    home.writeApp(plan.name, plan.app);
    await follow(keeper, plan, options);
  } catch (error) {
    await undo(home, running, runtime, { now: options.now, after: error });
    throw error;
  }
  keeper.disconnect();
  keeper.unref();
  return running;
}

/** Takes down what was made. When that fails too, what failed first is told, with what to do about the rest. */
async function undo(
  home: Home,
  state: SandboxState,
  runtime: Runtime,
  { now, after }: { readonly now: () => number; readonly after: unknown },
): Promise<void> {
  try {
    await down(home, state, runtime, now);
  } catch (error) {
    if (!(after instanceof Error && error instanceof SandboxError)) throw error;
    throw new SandboxError(`${after.message}; not everything could be removed`, error.hints, { cause: after });
  }
}

interface Prepared {
  readonly keeper: ChildProcess;
  readonly runtime: Runtime;
  readonly plan: KeeperPlan;
}

/** Everything before the first thing is made, with the keeper's process starting meanwhile. */
async function prepared(home: Home, options: UpOptions): Promise<Prepared> {
  const keeper = startKeeper(home.directoryOf(options.name), options);
  try {
    return { keeper, ...(await planned(home, options)) };
  } catch (error) {
    // It has no plan and ends with the channel.
    keeper.disconnect();
    throw error;
  }
}

/** Finds the runtime, checks the port, and decides what will exist. */
async function planned(home: Home, options: UpOptions): Promise<Omit<Prepared, 'keeper'>> {
  const runtime = await options.findRuntime();
  const gatewayPort = options.gatewayPort === 0 ? await freePort() : options.gatewayPort;
  await checkPort(gatewayPort, runtime);
  const plan: KeeperPlan = {
    id: randomBytes(4).toString('hex'),
    name: options.name,
    owner: home.owner(),
    app: options.app,
    runtime: { kind: runtime.kind, dockerHost: options.dockerHost, image: options.image },
    gatewayPort,
    apiPort: await freePort(),
    directory: home.directoryOf(options.name),
    apiToken: newApiToken(),
    seed: options.seed,
    flavor: options.flavor,
    features: options.features,
    loadRps: options.loadRps,
    mesh: options.mesh,
    leafMs: options.leafMs,
  };
  if (options.signal.aborted) throw new SandboxError('interrupted');
  return { runtime, plan };
}

async function checkPort(port: number, runtime: Runtime): Promise<void> {
  const holder = await portHolder(port, runtime.kind === 'docker' ? runtime : null);
  if (holder === null) return;
  throw new SandboxError(`port ${port} is used by ${holder}`, [`mesh-sandbox up --port ${await freePort()}`]);
}

function stateOf(plan: KeeperPlan, options: UpOptions): Omit<SandboxState, 'keeper'> {
  return {
    id: plan.id,
    name: plan.name,
    owner: plan.owner,
    runtime: plan.runtime.kind,
    dockerHost: plan.runtime.dockerHost,
    gatewayPort: plan.gatewayPort,
    apiPort: plan.apiPort,
    apiToken: plan.apiToken,
    app: plan.app.name,
    createdAt: options.now(),
    mesh: options.mesh,
  };
}

/** The keeper outlives this command: own session, output to its log. It does nothing until it has a plan. */
function startKeeper(directory: string, { keeperProgram, runtimeWish }: UpOptions): ChildProcess {
  const output = openSync(join(directory, 'keeper.log'), 'a', 0o600);
  return fork(keeperProgram, [runtimeWish], { detached: true, stdio: ['ignore', output, output, 'ipc'], execArgv: [] });
}

function follow(keeper: ChildProcess, plan: KeeperPlan, options: UpOptions): Promise<void> {
  return new Promise((resolve, reject) => {
    const say = (message: ToKeeper): void => {
      if (keeper.connected) keeper.send(message);
    };
    const abort = (): void => say({ type: 'abort' });
    options.signal.addEventListener('abort', abort, { once: true });
    keeper.on('message', (message: FromKeeper) => {
      if (message.type === 'step') options.onStep(message.step);
      else if (message.type === 'ready') resolve();
      else reject(new SandboxError(message.message, message.hints));
    });
    keeper.once('exit', (code, signal) => {
      const why = options.signal.aborted
        ? 'interrupted'
        : `the keeper ended (${signal ?? code}); its log: ${join(plan.directory, 'keeper.log')}`;
      reject(new SandboxError(why));
    });
    keeper.once('error', reject);
    if (options.signal.aborted) abort();
    say({ type: 'up', plan });
  });
}
