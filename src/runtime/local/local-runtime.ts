import { rmSync } from 'node:fs';
import { type Clock, sleep, systemClock } from '../../platform/clock.js';
import { isRunning } from '../../platform/process-info.js';
import type { Runtime, SandboxIdentity, SandboxPlan } from '../runtime.js';
import { LocalSandbox } from './local-sandbox.js';
import { endGroup } from './process-group.js';
import { type KnownProcess, ProcessTable, signalProcess } from './process-table.js';

/** How long processes may take to end by themselves, ms. */
const GRACE_MS = 2_000;

/** The mesh as child processes on 127.0.0.1: no Docker, no root, nothing to install. */
export class LocalRuntime implements Runtime {
  readonly kind = 'local';
  readonly description: string;
  readonly #programs: string;
  readonly #clock: Clock;
  /** Those of this process, by id: a removal stops them from starting more. */
  readonly #sandboxes = new Map<string, LocalSandbox>();

  constructor(why: string, programs: string, clock: Clock = systemClock) {
    this.description = `local processes on 127.0.0.1 (${why})`;
    this.#programs = programs;
    this.#clock = clock;
  }

  async prepare(): Promise<string> {
    return `none needed; Node.js ${process.versions.node}`;
  }

  sandbox(plan: SandboxPlan): LocalSandbox {
    const sandbox = new LocalSandbox(plan, this.#programs, this.#clock);
    this.#sandboxes.set(plan.id, sandbox);
    return sandbox;
  }

  async remove({ id }: SandboxIdentity, directory: string): Promise<readonly string[]> {
    await this.#sandboxes.get(id)?.close();
    const known = ProcessTable.read(directory);
    const left = known.filter((process) => isRunning(process));
    for (const process of left) signalProcess(process, 'SIGTERM');
    await this.#untilGone(left);
    for (const process of left) signalProcess(process, 'SIGKILL');
    await this.#untilGone(left);
    for (const { pid, group } of known) if (group) endGroup(pid, id);
    rmSync(directory, { recursive: true, force: true });
    return left.map(({ part, pid }) => `process ${pid} (${part})`);
  }

  async find(): Promise<readonly { id: string; name: string; running: boolean }[]> {
    // Nothing of ours exists outside the sandboxes' directories, which the caller has.
    return [];
  }

  async #untilGone(processes: readonly KnownProcess[]): Promise<void> {
    const deadline = this.#clock.monotonic() + GRACE_MS;
    while (processes.some((known) => isRunning(known)) && this.#clock.monotonic() < deadline)
      await sleep(this.#clock, 10);
  }
}
