import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { AppSpec } from '../model/app.js';
import { writeFileAtomic, writeFileDurable } from '../platform/files.js';
import { isRunning, startTimeOf } from '../platform/process-info.js';
import { SandboxError } from '../runtime/runtime.js';

/** What is remembered of a sandbox on the host, written before anything of it exists. No secret but the API's token. */
export interface SandboxState {
  readonly id: string;
  readonly name: string;
  readonly owner: string;
  readonly runtime: 'docker' | 'local';
  readonly dockerHost: string | null;
  readonly gatewayPort: number;
  readonly apiPort: number;
  readonly apiToken: string;
  readonly app: string;
  readonly createdAt: number;
  /** The keeper's process and when it started (to tell it from another process of the same number). */
  readonly keeper: { readonly pid: number; readonly startTime: string } | null;
  /** `up --no-mesh`: no sidecars, a plain reverse proxy. */
  readonly mesh: boolean;
}

/**
 * Where sandboxes are remembered: `$MESH_SANDBOX_HOME`, else `$XDG_STATE_HOME/mesh-sandbox`, else
 * `~/.local/state/mesh-sandbox`. Every file is readable by its owner only.
 */
export class Home {
  readonly directory: string;

  constructor(environment: Readonly<Record<string, string | undefined>>) {
    const { MESH_SANDBOX_HOME: own, XDG_STATE_HOME: state } = environment;
    this.directory = own || join(state || join(homedir(), '.local', 'state'), 'mesh-sandbox');
  }

  /** This installation's id: only what carries it is ever touched. Made on first use. */
  owner(): string {
    const file = join(this.directory, 'owner');
    if (existsSync(file)) return readFileSync(file, 'utf8').trim();
    this.#make(this.directory);
    const id = crypto.randomUUID();
    this.#change(() => writeFileDurable(file, `${id}\n`));
    return id;
  }

  directoryOf(name: string): string {
    return join(this.directory, 'sandboxes', name);
  }

  /**
   * Claims a name; false when it is taken. The folder comes to be with the claimant's word in it, at once: one without would
   * look like what a command left that died.
   */
  claim(name: string): boolean {
    const folder = join(this.directory, 'sandboxes');
    this.#make(folder);
    const draft = join(folder, `.${name}-${process.pid}`);
    return this.#change(() => {
      try {
        mkdirSync(draft, { recursive: true, mode: 0o700 });
        const claimant = { pid: process.pid, startTime: startTimeOf(process.pid) };
        writeFileAtomic(join(draft, 'claim.json'), JSON.stringify(claimant));
        renameSync(draft, this.directoryOf(name));
        return true;
      } catch (error) {
        rmSync(draft, { recursive: true, force: true });
        if (['EEXIST', 'ENOTEMPTY'].includes((error as NodeJS.ErrnoException).code ?? '')) return false;
        throw error;
      }
    });
  }

  /** Whether the command that claimed the name is still at it. */
  isBeingMade(name: string): boolean {
    try {
      return isRunning(JSON.parse(readFileSync(join(this.directoryOf(name), 'claim.json'), 'utf8')));
    } catch {
      return false;
    }
  }

  write(state: SandboxState): void {
    const file = join(this.directoryOf(state.name), 'sandbox.json');
    this.#change(() => writeFileDurable(file, JSON.stringify(state, null, 2)));
  }

  /** The application as it was read, beside the sandbox that runs it. */
  writeApp(name: string, app: AppSpec): void {
    this.#change(() => writeFileAtomic(join(this.directoryOf(name), 'app.json'), JSON.stringify(app)));
  }

  /** The remembered sandbox, or null when there is none (or its claim was never completed). */
  read(name: string): SandboxState | null {
    try {
      const state = JSON.parse(readFileSync(join(this.directoryOf(name), 'sandbox.json'), 'utf8')) as SandboxState;
      // What says another name would be removed under that one.
      return state.name === name ? state : null;
    } catch {
      return null;
    }
  }

  /** Every remembered sandbox, oldest first. */
  list(): SandboxState[] {
    const folder = join(this.directory, 'sandboxes');
    if (!existsSync(folder)) return [];
    return readdirSync(folder)
      .map((name) => this.read(name))
      .filter((state) => state !== null)
      .sort((a, b) => a.createdAt - b.createdAt);
  }

  forget(name: string): void {
    rmSync(this.directoryOf(name), { recursive: true, force: true });
  }

  #make(directory: string): void {
    this.#change(() => mkdirSync(directory, { recursive: true, mode: 0o700 }));
  }

  /** What is written here is little, but a home may be read-only or its disk full. */
  #change<T>(write: () => T): T {
    try {
      return write();
    } catch (cause) {
      const { code, message } = cause as NodeJS.ErrnoException;
      const why = code === 'ENOSPC' ? 'the disk is full' : message;
      throw new SandboxError(
        `cannot write to ${this.directory}: ${why}`,
        [
          ...(code === 'ENOSPC' ? [`df -h ${this.directory}   shows how full`] : []),
          'set MESH_SANDBOX_HOME to a directory that can be written',
        ],
        { cause },
      );
    }
  }
}
