import type { Socket } from 'node:net';
import type { Security } from '../../model/exchange.js';
import type { Sweeper } from '../../platform/sweeper.js';
import type { HeadLimits } from '../codec/fields.js';
import type { Abortable } from '../pipeline/call.js';
import type { ClusterLoad } from '../pipeline/cluster.js';
import type { ProxyError } from '../pipeline/proxy-error.js';
import { type ConnectionHome, type ConnectionTerms, UpstreamConnection } from './connection.js';

export interface PoolLimits extends HeadLimits {
  /** How long an unused connection waits, ms, where its cluster does not say otherwise. */
  readonly idleMs: number;
  readonly interimAnswers: number;
}

/** A request that waits for a connection, since its cluster may not open more. */
export interface Waiting extends Abortable {
  /** A connection that became free, or null: one may be opened, and is counted already. */
  readonly turn: Promise<UpstreamConnection | null>;
}

interface Waiter {
  readonly key: string;
  readonly take: (connection: UpstreamConnection | null) => void;
}

/**
 * Our own pool (F7): per endpoint the free connections, newest first, so that the others may grow old and go. A
 * connection is never handed on in the tick in which its last answer ended.
 */
export class UpstreamPool implements ConnectionHome {
  readonly #sweeper: Sweeper;
  readonly #limits: () => PoolLimits;
  readonly #free = new Map<string, UpstreamConnection[]>();
  readonly #all = new Set<UpstreamConnection>();
  readonly #open = new Map<string, number>();
  readonly #waiting = new Map<ClusterLoad, Waiter[]>();
  #settling: UpstreamConnection[] = [];

  constructor(sweeper: Sweeper, limits: () => PoolLimits) {
    this.#sweeper = sweeper;
    this.#limits = limits;
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

  /** A connection to `key` is about to be opened: it counts from now on, until {@link closed}. */
  opening(key: string, load: ClusterLoad): void {
    load.connections++;
    this.#open.set(key, (this.#open.get(key) ?? 0) + 1);
  }

  /** True when a connection to `key` is open, or being opened. */
  has(key: string): boolean {
    return (this.#open.get(key) ?? 0) > 0;
  }

  /** A free connection to `key`, or null. */
  take(key: string): UpstreamConnection | null {
    const free = this.#free.get(key);
    for (let connection = free?.pop(); connection !== undefined; connection = free?.pop()) {
      if (connection.usable) return connection;
    }
    return null;
  }

  /** Gets in line for a connection to `key`. */
  wait(key: string, load: ClusterLoad): Waiting {
    const line = this.#waiting.get(load) ?? [];
    this.#waiting.set(load, line);
    let abort: Waiting['abort'] = () => {};
    const turn = new Promise<UpstreamConnection | null>((resolve, reject) => {
      const waiter: Waiter = { key, take: resolve };
      line.push(waiter);
      abort = (error: ProxyError) => {
        this.#leave(load, waiter);
        reject(error);
      };
    });
    return { turn, abort: (error) => abort(error) };
  }

  /** Makes a pooled connection of a socket that is connected (and secured). It was counted when it began to open. */
  adopt(socket: Socket, key: string, security: Security, terms: ConnectionTerms): UpstreamConnection {
    const connection = new UpstreamConnection(socket, { key, security, terms, home: this, limits: this.#limits() });
    this.#all.add(connection);
    this.#sweeper.add(connection);
    return connection;
  }

  free(connection: UpstreamConnection): void {
    connection.expiresAt = this.#sweeper.deadline(connection.terms.idleMs ?? this.#limits().idleMs);
    this.#settling.push(connection);
    if (this.#settling.length === 1) setImmediate(() => this.#handOn());
  }

  gone(connection: UpstreamConnection): void {
    this.#all.delete(connection);
    this.#sweeper.delete(connection);
    const { key } = connection;
    const free = this.#free.get(key);
    const index = free?.indexOf(connection) ?? -1;
    if (index >= 0) free?.splice(index, 1);
    if (free?.length === 0) this.#free.delete(key);
    this.closed(key, connection.terms.load);
  }

  /** A connection is gone, or could not be opened: the next in line may open one. */
  closed(key: string, load: ClusterLoad): void {
    load.connections--;
    const open = (this.#open.get(key) ?? 1) - 1;
    if (open > 0) this.#open.set(key, open);
    else this.#open.delete(key);
    const line = this.#waiting.get(load);
    const next = line?.[0];
    if (next === undefined) return;
    this.#leave(load, next);
    this.opening(next.key, load);
    next.take(null);
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
      const { load } = connection.terms;
      const next =
        this.#waiting.size === 0 ? undefined : this.#waiting.get(load)?.find(({ key }) => key === connection.key);
      if (next !== undefined) {
        this.#leave(load, next);
        next.take(connection);
        continue;
      }
      const free = this.#free.get(connection.key);
      if (free === undefined) this.#free.set(connection.key, [connection]);
      else free.push(connection);
    }
  }

  #leave(load: ClusterLoad, waiter: Waiter): void {
    const line = this.#waiting.get(load);
    const index = line?.indexOf(waiter) ?? -1;
    if (index >= 0) line?.splice(index, 1);
    if (line?.length === 0) this.#waiting.delete(load);
  }
}
