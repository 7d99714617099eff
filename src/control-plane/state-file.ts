import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Fault } from '../model/fault.js';
import { writeFileAtomic } from '../platform/files.js';
import type { Log } from '../platform/log.js';
import type { Features } from '../protocol/api-types.js';
import type { StoredEndpoint } from './registry/registry.js';
import type { StoredDocument } from './resources/store.js';

/** What a restart of the control plane must not lose. */
export interface StoredState {
  readonly version: number;
  readonly faults: readonly Fault[];
  readonly features: Features;
  readonly loadRps: number;
  readonly endpoints: readonly StoredEndpoint[];
  readonly resources?: readonly StoredDocument[];
}

/** The state file in the control plane's directory. Writing must never stop the mesh: a full disk is a warning. */
export class StateFile {
  readonly #path: string;
  readonly #log: Log;
  #closed = false;

  constructor(directory: string, log: Log) {
    this.#path = join(directory, 'state.json');
    this.#log = log;
  }

  /** The stored state, or null when there is none that can be read. */
  read(): StoredState | null {
    if (!existsSync(this.#path)) return null;
    try {
      return JSON.parse(readFileSync(this.#path, 'utf8')) as StoredState;
    } catch (error) {
      this.#log.error({ error: String(error) }, 'the stored state cannot be read; starting afresh');
      return null;
    }
  }

  /** Nothing is written from here on. */
  close(): void {
    this.#closed = true;
  }

  write(state: StoredState): void {
    if (this.#closed) return;
    try {
      writeFileAtomic(this.#path, JSON.stringify(state));
    } catch (error) {
      this.#log.error({ error: String(error) }, 'the state cannot be stored; a restart would lose it');
    }
  }
}
