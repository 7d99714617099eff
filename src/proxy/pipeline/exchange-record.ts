import type { Attempt, Consideration, Decision, Direction, Exchange, Security, Timings } from '../../model/exchange.js';
import { FAILURES, type FailureCode } from '../../model/failure.js';

/**
 * The record of one request while it is being made: filters write their part as they learn it, and `freeze` makes the
 * immutable {@link Exchange} that leaves the process. Fields start with what is true before anything is known.
 */
export class ExchangeRecord {
  /** Counts up per process. */
  readonly number: number;
  /** Monotonic start, ms. */
  readonly started: number;
  kind: 'http' | 'tcp' = 'http';
  requestId = '';
  traceId = '';
  spanId = '';
  parentSpanId = '';
  reporter = '';
  direction: Direction;
  source = '';
  sourcePrincipal = '';
  service = '';
  destination = '';
  destinationPrincipal = '';
  port = 0;
  method = '';
  path = '';
  host = '';
  requestBytes = 0;
  status = 0;
  responseBytes = 0;
  failure: FailureCode | null = null;
  details = 'via_upstream';
  security: Security = PLAIN;
  queueMs = 0;
  connectMs = 0;
  handshakeMs = 0;
  upstreamMs = 0;
  /** Monotonic moment of the answer's head; 0 = none came. */
  answeredAt = 0;
  durationMs = 0;
  version = 0;
  /** Tells which rules were asked, when somebody wants to know. */
  considered: (() => readonly Consideration[]) | null = null;
  // Lists start as shared empty ones: most requests have one decision, one attempt and no flag.
  #flags: readonly string[] = NONE;
  #decisions: readonly Decision[] = NONE;
  #attempts: readonly Attempt[] = NONE;

  constructor(number: number, direction: Direction, started: number) {
    this.number = number;
    this.direction = direction;
    this.started = started;
  }

  get flags(): readonly string[] {
    return this.#flags;
  }

  get attempts(): readonly Attempt[] {
    return this.#attempts;
  }

  flag(flag: string): void {
    if (!this.#flags.includes(flag)) this.#flags = [...this.#flags, flag];
  }

  decide(decision: Decision): void {
    this.#decisions = this.#decisions.length === 0 ? [decision] : [...this.#decisions, decision];
  }

  tried(attempt: Attempt): void {
    this.#attempts = this.#attempts.length === 0 ? [attempt] : [...this.#attempts, attempt];
  }

  #timings(): Timings {
    const bodyMs = this.answeredAt === 0 ? 0 : Math.max(0, this.started + this.durationMs - this.answeredAt);
    const elsewhere = this.queueMs + this.connectMs + this.handshakeMs + this.upstreamMs + bodyMs;
    return {
      queueMs: round(this.queueMs),
      connectMs: round(this.connectMs),
      handshakeMs: round(this.handshakeMs),
      upstreamMs: round(this.upstreamMs),
      bodyMs: round(bodyMs),
      ownMs: round(Math.max(0, this.durationMs - elsewhere)),
    };
  }

  /** Notes how it failed; the first failure stands. */
  fail(code: FailureCode): void {
    if (this.failure !== null) return;
    this.failure = code;
    const row = FAILURES[code];
    this.details = row.details;
    if (row.flag !== '') this.flag(row.flag);
  }

  /** `now` and `monotonic` are readings of the two clocks at one moment. */
  freeze(now: number, monotonic: number, run: string): Exchange {
    return {
      id: `${this.reporter}/${run}-${this.number}`,
      kind: this.kind,
      requestId: this.requestId,
      traceId: this.traceId,
      spanId: this.spanId,
      parentSpanId: this.parentSpanId,
      reporter: { workload: this.reporter, direction: this.direction },
      source: { workload: this.source, principal: this.sourcePrincipal },
      destination: {
        workload: this.destination,
        principal: this.destinationPrincipal,
        service: this.service,
        port: this.port,
      },
      startedAt: Math.round(now - (monotonic - this.started)),
      durationMs: round(this.durationMs),
      request: { method: this.method, path: this.path, host: this.host, bytes: this.requestBytes },
      response: { status: this.status, bytes: this.responseBytes },
      failure: this.failure,
      flags: this.#flags,
      details: this.details,
      decisions: this.#decisions,
      considered: this.considered?.() ?? [],
      attempts: this.#attempts.map(rounded),
      security: this.security,
      timings: this.#timings(),
      version: this.version,
    };
  }
}

export const PLAIN: Security = { mode: 'plain', peer: '', tlsVersion: '', cipher: '' };

const NONE: readonly never[] = [];

function rounded(attempt: Attempt): Attempt {
  return { ...attempt, startedMs: round(attempt.startedMs), durationMs: round(attempt.durationMs) };
}

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
