import { compile } from '../../compiler/compile.js';
import type { MeshConfig, ReadyEndpoint } from '../../model/mesh-config.js';
import type { Policies } from '../../model/policies.js';
import type { SidecarConfig } from '../../model/sidecar-config.js';
import type { Clock } from '../../platform/clock.js';
import { patchOf } from '../../protocol/config-patch.js';
import { saysTheSame } from '../../protocol/config-text.js';
import type { WorkloadRecord } from '../registry/registry.js';
import type { WorkloadStream } from './stream-server.js';

/** What became of a configuration. Times are ms after it was sent for. */
export interface Rollout {
  readonly version: number;
  readonly obeyed: readonly { readonly workload: string; readonly ms: number }[];
  readonly refused: readonly { readonly workload: string; readonly reason: string }[];
  /** Connected, and said neither in time. */
  readonly silent: readonly string[];
}

export interface PublisherParts {
  readonly clock: Clock;
  readonly mesh: () => MeshConfig;
  readonly ready: () => readonly ReadyEndpoint[];
  readonly record: (workload: string) => WorkloadRecord | undefined;
  /** A new version exists; store it before anybody can obey it. */
  readonly onVersion: (version: number) => void;
}

/** Changes within this time become one snapshot, ms. (Istio waits for 100 ms of quiet; a laptop need not.) */
const DEBOUNCE_MS = 5;
/** How far a sidecar may be ahead of what we remember after our state was lost. */
const MOST_AHEAD = 1_000_000;

/**
 * Turns every change into a new snapshot and brings it to the sidecars whose part of it changed. Versions only grow. A
 * sidecar that refuses keeps its old configuration, and the refusal stands in its record.
 */
export class Publisher {
  readonly #parts: PublisherParts;
  readonly #streams = new Map<string, WorkloadStream>();
  readonly #waiters = new Set<() => void>();
  #configs: ReadonlyMap<string, SidecarConfig> = new Map();
  /** What was sent last on each stream. */
  readonly #sent = new WeakMap<WorkloadStream, SidecarConfig>();
  #version: number;
  #scheduled = false;

  constructor(parts: PublisherParts, version: number) {
    this.#parts = parts;
    this.#version = version;
  }

  get version(): number {
    return this.#version;
  }

  /** A change has happened that is not compiled yet. */
  get pending(): boolean {
    return this.#scheduled;
  }

  get configs(): ReadonlyMap<string, SidecarConfig> {
    return this.#configs;
  }

  /** What sidecars would be told under other policies. */
  configsWith(policies: Policies): ReadonlyMap<string, SidecarConfig> {
    const mesh = this.#parts.mesh();
    const faults = mesh.faults.filter((fault) => !mesh.policies.faults.includes(fault));
    return compile({ ...mesh, faults: [...faults, ...policies.faults], policies }, this.#parts.ready(), this.#version);
  }

  /** A sidecar (re)connected: it gets what is meant for it, whatever it had. */
  attach(stream: WorkloadStream, itsVersion: number): void {
    this.#streams.get(stream.workload)?.close();
    this.#streams.set(stream.workload, stream);
    // A sidecar that obeys something newer than we remember: versions must go on from there.
    // Not by any amount: a workload's word must not use up the numbers.
    if (itsVersion > this.#version && itsVersion - this.#version <= MOST_AHEAD) this.#version = itsVersion;
    this.publish();
    this.#send(stream.workload);
  }

  /** True when the stream was the workload's present one. */
  detach(stream: WorkloadStream): boolean {
    if (this.#streams.get(stream.workload) !== stream) return false;
    this.#streams.delete(stream.workload);
    this.#wake();
    return true;
  }

  /** Compiles again soon; nothing is sent to whom nothing changed for. */
  publish(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#parts.clock.after(DEBOUNCE_MS, () => {
      this.#scheduled = false;
      this.#publishNow();
    });
  }

  /**
   * Compiles at once and resolves when every connected sidecar that is concerned obeys, or one refuses, or `timeoutMs` are
   * over: how long after the call each obeyed, and who refused why.
   */
  publishAndWait(timeoutMs: number): Promise<Rollout> {
    const { clock, record } = this.#parts;
    const started = clock.monotonic();
    const concerned = this.#publishNow().filter((workload) => this.#streams.has(workload));
    const obeyed: Rollout['obeyed'][number][] = [];
    return new Promise((resolve) => {
      const finish = (): void => {
        timer.cancel();
        this.#waiters.delete(look);
        const refused = concerned.flatMap((workload) => {
          const nack = record(workload)?.nack ?? null;
          return nack === null ? [] : [{ workload, reason: nack }];
        });
        const silent = concerned.filter((workload) => !obeyed.some((one) => one.workload === workload));
        resolve({ version: this.#version, obeyed, refused, silent: refused.length > 0 ? [] : silent });
      };
      const look = (): void => {
        for (const workload of concerned) {
          const state = record(workload);
          if (state === undefined || state.nack !== null || obeyed.some((one) => one.workload === workload)) continue;
          if (state.ackedVersion >= state.wantedVersion) obeyed.push({ workload, ms: clock.monotonic() - started });
        }
        const gone = concerned.filter((workload) => !this.#streams.has(workload));
        const refusal = concerned.some((workload) => (record(workload)?.nack ?? null) !== null);
        if (refusal || obeyed.length + gone.length >= concerned.length) finish();
      };
      const timer = clock.after(timeoutMs, finish);
      this.#waiters.add(look);
      look();
    });
  }

  /** Ends every stream. */
  close(): void {
    for (const stream of this.#streams.values()) stream.close();
  }

  acknowledged(workload: string, version: number, nack: string | null): void {
    const record = this.#parts.record(workload);
    if (record === undefined) return;
    record.nack = nack;
    if (nack === null) record.ackedVersion = Math.max(record.ackedVersion, version);
    this.#wake();
  }

  /** Resolves with true when every connected sidecar obeys what is meant for it, with false after `timeoutMs` or a refusal. */
  settled(timeoutMs: number): Promise<boolean> {
    return new Promise((resolve) => {
      const finish = (answer: boolean): void => {
        timer.cancel();
        this.#waiters.delete(look);
        resolve(answer);
      };
      const look = (): void => {
        if (this.#scheduled) return;
        const records = [...this.#streams.keys()].map((name) => this.#parts.record(name));
        if (records.some((record) => record !== undefined && record.nack !== null)) finish(false);
        else if (records.every((record) => record === undefined || record.ackedVersion >= record.wantedVersion))
          finish(true);
      };
      const timer = this.#parts.clock.after(timeoutMs, () => finish(false));
      this.#waiters.add(look);
      look();
    });
  }

  /** Returns whom it concerns. */
  #publishNow(): string[] {
    const next = compile(this.#parts.mesh(), this.#parts.ready(), this.#version + 1);
    const changed = [...next].filter(([name, config]) => {
      const before = this.#configs.get(name);
      return before === undefined || !saysTheSame(before, config);
    });
    if (changed.length > 0) {
      this.#version++;
      this.#parts.onVersion(this.#version);
      // Who is not concerned keeps the configuration (and version) that it has.
      this.#configs = new Map([...this.#configs, ...changed]);
      for (const [name] of changed) this.#send(name);
    }
    this.#wake();
    return changed.map(([name]) => name);
  }

  #send(workload: string): void {
    const stream = this.#streams.get(workload);
    const config = this.#configs.get(workload);
    const record = this.#parts.record(workload);
    if (config !== undefined && record !== undefined) record.wantedVersion = config.version;
    if (stream === undefined || config === undefined) return;
    const before = this.#sent.get(stream);
    this.#sent.set(stream, config);
    if (before === undefined) stream.send({ type: 'config', config });
    else stream.send({ type: 'patch', patch: patchOf(before, config) });
  }

  #wake(): void {
    for (const waiter of [...this.#waiters]) waiter();
  }
}
