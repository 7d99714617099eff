import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { writeFileAtomic } from '../../platform/files.js';
import { isRunning } from '../../platform/process-info.js';

export interface KnownProcess {
  readonly part: string;
  readonly pid: number;
  readonly startTime: string;
  /** Leader of its own process group: the whole group is ours. */
  readonly group: boolean;
}

/** The processes of a sandbox, on disk, so that another command can end exactly these after any crash. */
export class ProcessTable {
  readonly #file: string;
  readonly #processes = new Map<string, KnownProcess>();

  constructor(directory: string) {
    this.#file = join(directory, 'processes.json');
  }

  add(process: KnownProcess): void {
    this.#processes.set(process.part, process);
    this.#write();
  }

  remove(part: string): void {
    if (!this.#processes.delete(part)) return;
    try {
      this.#write();
    } catch {
      // A full disk. The old record harms nobody: its start time tells that the process is gone.
    }
  }

  /** What the file of a sandbox says; empty when there is none. */
  static read(directory: string): KnownProcess[] {
    try {
      return JSON.parse(readFileSync(join(directory, 'processes.json'), 'utf8')) as KnownProcess[];
    } catch {
      return [];
    }
  }

  #write(): void {
    try {
      writeFileAtomic(this.#file, JSON.stringify([...this.#processes.values()]));
    } catch (error) {
      // The directory goes with the sandbox while its last processes end.
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
}

/** Signals a process of ours (its whole group where it leads one); false when it is gone or not ours any more. */
export function signalProcess(process_: KnownProcess, signal: NodeJS.Signals): boolean {
  if (!isRunning(process_)) return false;
  try {
    process.kill(process_.group ? -process_.pid : process_.pid, signal);
    return true;
  } catch {
    return false;
  }
}
