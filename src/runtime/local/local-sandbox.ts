import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import type { PartUsage } from '../../model/metrics.js';
import type { Clock } from '../../platform/clock.js';
import { startTimeOf } from '../../platform/process-info.js';
import { Gate } from '../gate.js';
import { freePort } from '../ports.js';
import {
  type Addresses,
  type ExecResult,
  type PartExit,
  type PartName,
  type ProbeRequest,
  SandboxError,
  type SandboxHost,
  type SandboxPlan,
} from '../runtime.js';
import { appCommand } from './app-command.js';
import { appEnvironment, rewriteAddresses } from './environment.js';
import { readLog } from './log-file.js';
import { endGroup, MARK } from './process-group.js';
import { ProcessTable } from './process-table.js';
import { type CpuSample, measure, usageOf } from './usage.js';

const LOOPBACK = '127.0.0.1';
/** Memory flags of a sidecar: small young generation, and a lid on the old one. */
export const PROXY_FLAGS = ['--max-semi-space-size=2', '--max-old-space-size=96'];

/** One sandbox as child processes of this process. Their standard input stays open: when we end, they end. */
export class LocalSandbox implements SandboxHost {
  readonly #plan: SandboxPlan;
  readonly #programs: string;
  readonly #clock: Clock;
  readonly #children = new Map<PartName, ChildProcess>();
  readonly #table: ProcessTable;
  readonly #appPorts = new Map<string, { port: number; target: number }[]>();
  readonly #cpu = new Map<PartName, CpuSample>();
  readonly #gate = new Gate();
  #onExit: ((exit: PartExit) => void) | null = null;

  constructor(plan: SandboxPlan, programs: string, clock: Clock) {
    this.#plan = plan;
    this.#programs = programs;
    this.#clock = clock;
    this.#table = new ProcessTable(plan.directory);
  }

  async open(): Promise<Addresses> {
    mkdirSync(join(this.#plan.directory, 'logs'), { recursive: true, mode: 0o700 });
    const { gatewayPort, apiPort, directory } = this.#plan;
    // Others chose these, and nobody listens there yet.
    const taken = [gatewayPort, apiPort];
    for (const { name, ports } of this.#plan.app.workloads) {
      const targets = [];
      for (const { port } of ports) targets.push({ port, target: await freePort(taken) });
      this.#appPorts.set(name, targets);
    }
    const control = { host: LOOPBACK, port: await freePort(taken) };
    return {
      controlPlane: control,
      controlListen: control,
      apiListen: { host: LOOPBACK, port: apiPort },
      controlStateDir: join(directory, 'control-plane'),
      gatewayListen: { host: LOOPBACK, port: gatewayPort },
      gatewayUrl: `http://${LOOPBACK}:${gatewayPort}`,
      bindHost: LOOPBACK,
      interception: 'explicit',
      appPorts: (workload) => this.#appPorts.get(workload) ?? [],
    };
  }

  async createPod(): Promise<void> {}

  async createPart(): Promise<void> {}

  async start(
    part: PartName,
    bootstrap: string | null,
    listenPorts: Readonly<Record<string, number>> = {},
  ): Promise<void> {
    // Running already is what was wanted; a pod is nothing here.
    if (part.endsWith('/pod') || this.#children.has(part)) return;
    const child = await this.#gate
      .pass(() => this.#spawn(part, bootstrap === null, listenPorts))
      .catch((error: unknown) => {
        throw diskError(error, part);
      });
    if (bootstrap !== null) child.stdin?.write(`${bootstrap}\n`);
  }

  async #spawn(part: PartName, isApp: boolean, listenPorts: Readonly<Record<string, number>>): Promise<ChildProcess> {
    const [command = '', ...args] = isApp
      ? appCommand(this.#workload(part), this.#programs)
      : [process.execPath, ...flagsOf(part), join(this.#programs, programOf(part))];
    const env = isApp ? this.#appEnvironment(part, listenPorts) : programEnvironment();
    const log = openSync(join(this.#plan.directory, 'logs', `${part.replaceAll('/', '.')}.log`), 'a', 0o600);
    const child = spawn(command, args, { stdio: ['pipe', log, log], env, detached: isApp });
    closeSync(log);
    child.stdin?.on('error', () => {});
    child.once('exit', (code, signal) => this.#ended(part, child, code, signal));
    // Written down before anything else happens: whoever cleans up after us must know of it.
    const { pid } = child;
    if (pid !== undefined) {
      this.#children.set(part, child);
      try {
        this.#table.add({ part, pid, startTime: startTimeOf(pid), group: isApp });
      } catch (error) {
        // What nobody could find after a crash must not run.
        this.#kill(part, child, 'SIGKILL');
        throw error;
      }
    }
    await started(child, command);
    return child;
  }

  async stop(part: PartName, graceMs: number): Promise<void> {
    const child = this.#children.get(part);
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    this.#kill(part, child, graceMs > 0 ? 'SIGTERM' : 'SIGKILL');
    const timer = this.#clock.after(graceMs, () => this.#kill(part, child, 'SIGKILL'));
    await ended;
    timer.cancel();
  }

  async signal(part: PartName, signal: NodeJS.Signals): Promise<void> {
    const child = this.#children.get(part);
    if (child === undefined) throw new SandboxError(`${part} does not run`);
    this.#kill(part, child, signal);
  }

  async watch(onExit: (exit: PartExit) => void): Promise<{ close(): void }> {
    this.#onExit = onExit;
    return {
      close: () => {
        this.#onExit = null;
      },
    };
  }

  /** From now on nothing is started; resolves when nothing is being started any more. */
  close(): Promise<void> {
    return this.#gate.close();
  }

  async addressOf(): Promise<string> {
    return LOOPBACK;
  }

  async usage(): Promise<readonly PartUsage[]> {
    const at = this.#clock.monotonic();
    const all: PartUsage[] = [];
    for (const [part, { pid }] of this.#children) {
      const measured = pid === undefined ? null : measure(pid);
      if (measured === null) continue;
      const sample = { seconds: measured.cpuSeconds, at };
      all.push(usageOf(part, measured.memoryBytes, sample, this.#cpu.get(part)));
      this.#cpu.set(part, sample);
    }
    return all;
  }

  logs(part: PartName, options: { tail: number; follow: boolean; signal?: AbortSignal }): AsyncIterable<string> {
    return readLog(join(this.#plan.directory, 'logs', `${part.replaceAll('/', '.')}.log`), options);
  }

  async probe(
    _workload: string,
    request: ProbeRequest,
    listenPorts: Readonly<Record<string, number>>,
  ): Promise<ExecResult> {
    const url = rewriteAddresses(request.url, this.#plan.app, listenPorts);
    const child = spawn(process.execPath, [join(this.#programs, 'probe.cjs'), JSON.stringify({ ...request, url })], {
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr, code] = await Promise.all([
      textOf(child.stdout),
      textOf(child.stderr),
      new Promise<number>((resolve) => child.once('exit', (exit) => resolve(exit ?? 1))),
    ]);
    return { code, stdout, stderr };
  }

  #appEnvironment(part: PartName, listenPorts: Readonly<Record<string, number>>): NodeJS.ProcessEnv {
    const workload = this.#workload(part);
    const target = this.#appPorts.get(workload.name)?.[0]?.target ?? 0;
    return {
      ...appEnvironment(this.#plan.app, workload, target, listenPorts, process.env),
      [MARK]: this.#plan.id,
    };
  }

  #workload(part: PartName) {
    const name = part.split('/')[0];
    const found = this.#plan.app.workloads.find((workload) => workload.name === name);
    if (found === undefined) throw new SandboxError(`there is no workload ${name}`);
    return found;
  }

  #kill(part: PartName, child: ChildProcess, signal: NodeJS.Signals): void {
    const { pid } = child;
    if (pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
    try {
      process.kill(part.endsWith('/app') ? -pid : pid, signal);
    } catch {
      // It ended in the meantime.
    }
  }

  #ended(part: PartName, child: ChildProcess, code: number | null, signal: string | null): void {
    if (part.endsWith('/app') && child.pid !== undefined) endGroup(child.pid, this.#plan.id);
    if (this.#children.get(part) !== child) return;
    this.#children.delete(part);
    this.#cpu.delete(part);
    this.#table.remove(part);
    this.#onExit?.({ part, code, signal });
  }
}

/** Bundle of a part of ours. */
export function programOf(part: PartName): string {
  if (part === 'control-plane') return 'control-plane.cjs';
  if (part === 'load' || part === 'baseline') return `${part}.cjs`;
  return 'proxy.cjs';
}

/** Node flags of a part of ours. */
export function flagsOf(part: PartName): readonly string[] {
  return programOf(part) === 'proxy.cjs' ? PROXY_FLAGS : [];
}

function programEnvironment(): NodeJS.ProcessEnv {
  const { PATH, HOME, MESH_LOG_LEVEL } = process.env;
  return { PATH, HOME, ...(MESH_LOG_LEVEL === undefined ? {} : { MESH_LOG_LEVEL }) };
}

/** A full disk as something a person can act on; other errors as they are. */
function diskError(error: unknown, part: PartName): unknown {
  if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') return error;
  return new SandboxError(`the disk is full (starting ${part})`, ['df -h   shows which'], { cause: error });
}

function started(child: ChildProcess, command: string): Promise<void> {
  return new Promise((resolve, reject) => {
    child.once('spawn', resolve);
    child.once('error', (cause) =>
      reject(new SandboxError(`cannot start ${command}: ${cause.message}`, [], { cause })),
    );
  });
}

async function textOf(stream: NodeJS.ReadableStream): Promise<string> {
  let text = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) text += chunk as string;
  return text;
}
