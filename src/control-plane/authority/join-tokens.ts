import { randomBytes } from 'node:crypto';
import type { Clock } from '../../platform/clock.js';

/** A token that is not used by then is worthless, ms. */
const TOKEN_LIFE_MS = 120_000;

/** One-time tokens with which a workload proves, once, that the runtime started it. */
export class JoinTokens {
  readonly #clock: Clock;
  readonly #tokens = new Map<string, { workload: string; expiresAt: number }>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  mint(workload: string): string {
    const token = randomBytes(32).toString('base64url');
    this.#tokens.set(token, { workload, expiresAt: this.#clock.now() + TOKEN_LIFE_MS });
    return token;
  }

  /** The workload that the token was made for, and the token is spent; null when it is unknown, spent or too old. */
  redeem(token: string): string | null {
    const entry = this.#tokens.get(token);
    this.#tokens.delete(token);
    if (entry === undefined || entry.expiresAt < this.#clock.now()) return null;
    return entry.workload;
  }
}
