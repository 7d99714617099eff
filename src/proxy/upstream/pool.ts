import type { Socket } from 'node:net';
import type { Security } from '../../model/exchange.js';
import type { Sweeper } from '../../platform/sweeper.js';
import type { ConnectionHome } from './connection.js';
import { UpstreamConnection } from './connection.js';

/** How long an unused connection waits, ms: to apps below the 5 s after which Node's own servers close theirs. */
export const IDLE_MS = { app: 3_000, sidecar: 30_000 } as const;

/**
 * Our own pool (F7): per endpoint the free connections, newest first, so that the others may grow old and go. A
 * connection is never handed on in the tick in which its last answer ended.
 */
export class UpstreamPool implements ConnectionHome {
  readonly #sweeper: Sweeper;
  readonly #idleMs: number;
  readonly #free = new Map<string, UpstreamConnection[]>();
  readonly #all = new Set<UpstreamConnection>();
  #settling: UpstreamConnection[] = [];

  constructor(sweeper: Sweeper, idleMs: number) {
    this.#sweeper = sweeper;
    this.#idleMs = idleMs;
  }

  /** Connections that are open, busy or free. */
  get size(): number {
    return this.#all.size;
  }

  /** Connections that carry a request. */
  get busy(): number {
    let busy = 0;
    for (const connection of this.#all) if (!connection.usable) busy++;
    return busy;
  }

  /** A free connection to `key`, or null. */
  take(key: string): UpstreamConnection | null {
    const free = this.#free.get(key);
    for (let connection = free?.pop(); connection !== undefined; connection = free?.pop()) {
      if (connection.usable) return connection;
    }
    return null;
  }

  /** Makes a pooled connection of a socket that is connected (and secured). */
  adopt(socket: Socket, key: string, security: Security): UpstreamConnection {
    const connection = new UpstreamConnection(socket, key, security, this);
    this.#all.add(connection);
    this.#sweeper.add(connection);
    return connection;
  }

  free(connection: UpstreamConnection): void {
    connection.expiresAt = this.#sweeper.deadline(this.#idleMs);
    this.#settling.push(connection);
    if (this.#settling.length === 1) setImmediate(() => this.#handOn());
  }

  gone(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    this.#sweeper.delete(connection);
    const free = this.#free.get(connection.key);
    const index = free?.indexOf(connection) ?? -1;
    if (index >= 0) free?.splice(index, 1);
    if (free?.length === 0) this.#free.delete(connection.key);
  }

  /** Ends every free connection for which `unwanted` says so (endpoint gone, trust changed). */
  closeFree(unwanted: (key: string) => boolean): void {
    for (const [key, connections] of this.#free) {
      if (!unwanted(key)) continue;
      for (const connection of [...connections]) connection.expire();
    }
  }

  #handOn(): void {
    const settled = this.#settling;
    this.#settling = [];
    for (const connection of settled) {
      if (!connection.usable) continue;
      const free = this.#free.get(connection.key);
      if (free === undefined) this.#free.set(connection.key, [connection]);
      else free.push(connection);
    }
  }
}
