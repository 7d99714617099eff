import { Agent, request } from 'node:http';
import type { Clock, Timer } from '../platform/clock.js';

/** What came of one request. */
export type Outcome = 'ok' | 'failed';

export interface OpenLoopParts {
  readonly clock: Clock;
  /** `http://host:port` */
  readonly target: string;
  /** Sends one request; replaceable in tests. */
  readonly send?: (url: string) => Promise<Outcome>;
}

export interface LoadCounts {
  readonly sent: number;
  readonly ok: number;
  readonly failed: number;
  readonly missed: number;
}

/** A request without an answer by then has failed, ms. */
const TIMEOUT_MS = 15_000;
/** Requests in flight; what the schedule wants beyond is counted as missed, not queued. */
const MAX_IN_FLIGHT = 2_000;
/** Longest burst after a stall, so that a sleeping laptop does not wake up to a flood. */
const MAX_BURST = 50;

/**
 * An open-loop generator: request i is due at t0 + i / rate, whether or not earlier ones were answered, so that slow
 * answers do not thin out the load (coordinated omission).
 */
export class OpenLoop {
  readonly #clock: Clock;
  readonly #target: string;
  readonly #send: (url: string) => Promise<Outcome>;
  #rps = 0;
  #paths: readonly string[] = ['/'];
  #origin = 0;
  #started = 0;
  #inFlight = 0;
  #turn = 0;
  #timer: Timer | null = null;
  #counts = { sent: 0, ok: 0, failed: 0, missed: 0 };

  constructor({ clock, target, send }: OpenLoopParts) {
    this.#clock = clock;
    this.#target = target;
    this.#send = send ?? httpSender();
  }

  /** Changes rate (requests per second, 0 = pause) and paths from now on. */
  setLoad({ rps, paths }: { readonly rps: number; readonly paths: readonly string[] }): void {
    if (paths.length > 0) this.#paths = paths;
    if (rps === this.#rps) return;
    this.#rps = rps;
    this.#origin = this.#clock.monotonic();
    this.#started = 0;
    this.#schedule();
  }

  stop(): void {
    this.setLoad({ rps: 0, paths: [] });
  }

  /** Counts since the last call. */
  takeCounts(): LoadCounts {
    const counts = this.#counts;
    this.#counts = { sent: 0, ok: 0, failed: 0, missed: 0 };
    return counts;
  }

  #schedule(): void {
    this.#timer?.cancel();
    this.#timer = null;
    if (this.#rps <= 0) return;
    const due = this.#origin + (this.#started * 1000) / this.#rps;
    this.#timer = this.#clock.after(Math.max(0, due - this.#clock.monotonic()), () => this.#tick());
  }

  #tick(): void {
    const due = Math.floor(((this.#clock.monotonic() - this.#origin) * this.#rps) / 1000) + 1;
    const behind = due - this.#started;
    const start = Math.min(behind, MAX_BURST);
    this.#counts.missed += behind - start;
    this.#started = due;
    for (let i = 0; i < start; i++) this.#start();
    this.#schedule();
  }

  #start(): void {
    if (this.#inFlight >= MAX_IN_FLIGHT) {
      this.#counts.missed++;
      return;
    }
    const path = this.#paths[this.#turn++ % this.#paths.length] ?? '/';
    this.#inFlight++;
    this.#counts.sent++;
    this.#send(this.#target + path).then(
      (outcome) => this.#finish(outcome),
      () => this.#finish('failed'),
    );
  }

  #finish(outcome: Outcome): void {
    this.#inFlight--;
    this.#counts[outcome]++;
  }
}

/** Sends with node:http over kept connections; an answer below 500 is `ok`. */
function httpSender(): (url: string) => Promise<Outcome> {
  const agent = new Agent({ keepAlive: true, maxSockets: MAX_IN_FLIGHT });
  return (url) =>
    new Promise((resolve) => {
      const outgoing = request(
        url,
        { agent, timeout: TIMEOUT_MS, headers: { 'user-agent': 'mesh-sandbox-load' } },
        (response) => {
          response.resume();
          response.on('end', () => resolve((response.statusCode ?? 500) < 500 ? 'ok' : 'failed'));
          response.on('error', () => resolve('failed'));
        },
      );
      outgoing.on('timeout', () => outgoing.destroy());
      outgoing.on('error', () => resolve('failed'));
      outgoing.end();
    });
}
