import type Dockerode from 'dockerode';
import { sleep, systemClock } from '../../platform/clock.js';
import type { PartExit, SandboxError } from '../runtime.js';
import { engineError } from './engine-error.js';
import { LABEL } from './labels.js';

/** Between two attempts to reach an engine that went away, ms. */
const RECONNECT_MS = 500;

interface EngineEvent {
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Readonly<Record<string, string>> };
}

export interface Watcher {
  readonly onExit: (exit: PartExit) => void;
  /** The engine stopped answering; exits that happen meanwhile are told when it is back. */
  readonly onLost: (error: SandboxError) => void;
}

/**
 * Calls back when a container of the filter ends. When the stream breaks it connects again until it is closed, and then
 * tells of what ended unseen: an engine that restarts takes its containers with it.
 */
export async function watchExits(
  docker: Dockerode,
  filter: { label: string[] },
  watcher: Watcher,
): Promise<{ close(): void }> {
  const watch = new ExitWatch(docker, filter, watcher);
  await watch.connect();
  void watch.run();
  return watch;
}

class ExitWatch {
  readonly #docker: Dockerode;
  readonly #filter: { label: string[] };
  readonly #watcher: Watcher;
  /** Container id → part, of those that run as far as we know. */
  readonly #running = new Map<string, string>();
  #stream: NodeJS.ReadableStream | null = null;
  #closed = false;

  constructor(docker: Dockerode, filter: { label: string[] }, watcher: Watcher) {
    this.#docker = docker;
    this.#filter = filter;
    this.#watcher = watcher;
  }

  close(): void {
    this.#closed = true;
    destroy(this.#stream);
  }

  /** Opens the stream first and lists after, so that nothing falls between the two. */
  async connect(): Promise<void> {
    this.#stream = await this.#docker.getEvents({
      filters: { type: ['container'], event: ['start', 'die'], ...this.#filter },
    });
    if (this.#closed) return destroy(this.#stream);
    await this.#compare();
  }

  async run(): Promise<void> {
    while (!this.#closed) {
      const cause = await this.#follow();
      if (this.#closed) return;
      this.#watcher.onLost(engineError(cause, 'watching the containers'));
      await this.#reconnect();
    }
  }

  async #reconnect(): Promise<void> {
    while (!this.#closed) {
      try {
        return await this.connect();
      } catch {
        await sleep(systemClock, RECONNECT_MS);
      }
    }
  }

  /** Tells of those that ran when we last knew and do not now. */
  async #compare(): Promise<void> {
    const all = await this.#docker.listContainers({ all: true, filters: this.#filter });
    const ended = new Map(all.filter(({ State }) => State !== 'running' && State !== 'paused').map((c) => [c.Id, c]));
    const before = [...this.#running];
    for (const { Id, Labels, State } of all) if (State === 'running') this.#running.set(Id, Labels[LABEL.part] ?? '');
    for (const [id, part] of before) {
      const container = ended.get(id);
      if (container === undefined && all.some(({ Id }) => Id === id)) continue;
      this.#ended(id, part, Number(/\((\d+)\)/.exec(container?.Status ?? '')?.[1] ?? 137));
    }
  }

  /** Reads until the stream breaks; resolves with why. */
  async #follow(): Promise<unknown> {
    let pending = '';
    try {
      for await (const chunk of this.#stream ?? []) {
        const lines = (pending + String(chunk)).split('\n');
        pending = lines.pop() ?? '';
        for (const line of lines) if (line.trim() !== '') this.#on(JSON.parse(line) as EngineEvent);
      }
    } catch (error) {
      return error;
    }
    return Object.assign(new Error('the engine ended the stream of events'), { code: 'ECONNRESET' });
  }

  #on({ Action, Actor: { ID = '', Attributes = {} } = {} }: EngineEvent): void {
    const part = Attributes[LABEL.part] ?? '';
    if (Action === 'start') this.#running.set(ID, part);
    else this.#ended(ID, part, Number(Attributes['exitCode'] ?? 0));
  }

  #ended(id: string, part: string, code: number): void {
    this.#running.delete(id);
    const exit = exitOf(part, code);
    if (exit !== null) this.#watcher.onExit(exit);
  }
}

/** An exit as the keeper sees it: the init container's end is none, nor a probe's; the pause container's is the pod's. */
export function exitOf(part: string, code: number): PartExit | null {
  if (part === '' || /\/(init|probe)$/.test(part)) return null;
  const signal = code === 137 ? 'SIGKILL' : code === 143 ? 'SIGTERM' : null;
  return { part: part.replace(/\/pause$/, '/pod'), code: signal === null ? code : null, signal };
}

function destroy(stream: NodeJS.ReadableStream | null): void {
  (stream as { destroy?(): void } | null)?.destroy?.();
}
