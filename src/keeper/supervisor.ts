import type { MeshClient } from '../client/mesh-client.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { Log } from '../platform/log.js';
import type { PartExit, PartName, SandboxHost } from '../runtime/runtime.js';
import { lastWords } from './last-words.js';
import type { Parts } from './parts.js';

/** Pauses before a part is started again, ms: at once, then doubled up to 5 s; quiet for 30 s forgets earlier deaths. */
const RESTART = { firstMs: 0, nextMs: 200, mostMs: 5_000, forgiveMs: 30_000 } as const;
/** Between two looks at CPU and memory, ms. */
const USAGE_EVERY_MS = 2_000;

export interface SupervisorParts {
  readonly host: SandboxHost;
  readonly parts: Pick<Parts, 'restart'>;
  readonly client: MeshClient;
  readonly clock: Clock;
  readonly log: Log;
}

/** Brings back what dies, says so on screen, and measures what each part costs. */
export class Supervisor {
  readonly #parts: SupervisorParts;
  readonly #deaths = new Map<PartName, { count: number; last: number }>();
  readonly #restarting = new Set<PartName>();
  #watch: { close(): void } | null = null;
  #usageTimer: Timer | null = null;
  #stopped = false;
  #supervising = false;
  #casualty: { part: PartName; words: string } | null = null;

  constructor(parts: SupervisorParts) {
    this.#parts = parts;
  }

  /** The first part that ended while the sandbox was being built, with the last line that it wrote. */
  get casualty(): { part: PartName; words: string } | null {
    return this.#casualty;
  }

  /** Watches from the first part on: what ends while the sandbox is built fails the building. */
  async watch(): Promise<void> {
    this.#watch = await this.#parts.host.watch(
      (exit) => this.#onExit(exit),
      (error) => void this.#report('engine', 'died', error.message),
    );
  }

  /** From now on what ends is brought back. */
  supervise(): void {
    this.#supervising = true;
    this.#measure();
  }

  /** Starts a part that nobody waits for; it is tried again until it runs. */
  launch(part: PartName): void {
    void this.#start(part, false);
  }

  /** From now on what ends stays ended. */
  stop(): void {
    this.#stopped = true;
    this.#watch?.close();
    this.#usageTimer?.cancel();
  }

  #onExit(exit: PartExit): void {
    if (this.#stopped || this.#restarting.has(exit.part)) return;
    if (!this.#supervising) {
      void this.#noteCasualty(exit);
      return;
    }
    const { clock, log } = this.#parts;
    const now = clock.monotonic();
    const before = this.#deaths.get(exit.part);
    const count = before === undefined || now - before.last > RESTART.forgiveMs ? 0 : before.count;
    this.#deaths.set(exit.part, { count: count + 1, last: now });
    const wait = count === 0 ? RESTART.firstMs : Math.min(RESTART.nextMs * 2 ** (count - 1), RESTART.mostMs);
    log.warn({ ...exit, wait }, 'a part ended');
    this.#restarting.add(exit.part);
    void this.#report(exit.part, 'died', endOf(exit));
    clock.after(wait, () => void this.#start(exit.part, true));
  }

  async #noteCasualty(exit: PartExit): Promise<void> {
    const said = await lastWords(this.#parts.host, exit.part);
    this.#casualty ??= { part: exit.part, words: said === '' ? endOf(exit) : `${endOf(exit)}; ${said}` };
  }

  async #start(part: PartName, again: boolean): Promise<void> {
    const { clock, log, parts } = this.#parts;
    if (this.#stopped) return;
    // From here on a new death is a new event; the part may die before `restart` has returned.
    this.#restarting.delete(part);
    // A pod's members are ended and started with it: their deaths are none of their own.
    const members = part.endsWith('/pod') ? [part.replace(/pod$/, 'sidecar'), part.replace(/pod$/, 'app')] : [];
    for (const member of members) this.#restarting.add(member);
    try {
      await parts.restart(part);
      if (again) await this.#report(part, 'restarted', '');
    } catch (error) {
      if (this.#stopped || this.#restarting.has(part)) return;
      log.error({ part, error: error instanceof Error ? error.message : String(error) }, 'cannot be started yet');
      this.#restarting.add(part);
      clock.after(RESTART.nextMs, () => void this.#start(part, again));
    } finally {
      for (const member of members) this.#restarting.delete(member);
    }
  }

  async #report(part: PartName, event: 'died' | 'restarted', detail: string): Promise<void> {
    try {
      await this.#parts.client.call('reportPart', { part, event, detail }, 2_000);
    } catch {
      // The control plane itself may be what died; its own return shows.
    }
  }

  #measure(): void {
    if (this.#stopped) return;
    const { host, client, clock } = this.#parts;
    host
      .usage()
      .then((usage) => client.call('reportUsage', { usage }, 2_000))
      .catch(() => {})
      .finally(() => {
        if (!this.#stopped) this.#usageTimer = clock.after(USAGE_EVERY_MS, () => this.#measure());
      });
  }
}

function endOf({ code, signal }: PartExit): string {
  if (signal !== null) return `ended by ${signal}`;
  return code === null ? '' : `exit code ${code}`;
}
