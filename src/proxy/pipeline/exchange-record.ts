import type { Attempt, Decision, Direction, Exchange, Security } from '../../model/exchange.js';
import { FAILURES, type FailureCode } from '../../model/failure.js';

/**
 * The record of one request while it is being made: filters write their part as they learn it, and `freeze` makes the
 * immutable {@link Exchange} that leaves the process. Fields start with what is true before anything is known.
 */
export class ExchangeRecord {
  readonly id: string;
  readonly startedAt: number;
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
  flags: string[] = [];
  details = 'via_upstream';
  decisions: Decision[] = [];
  attempts: Attempt[] = [];
  security: Security = PLAIN;
  queueMs = 0;
  connectMs = 0;
  handshakeMs = 0;
  upstreamMs = 0;
  durationMs = 0;
  version = 0;

  constructor(id: string, direction: Direction, startedAt: number, started: number) {
    this.id = id;
    this.direction = direction;
    this.startedAt = startedAt;
    this.started = started;
  }

  /** Notes how it failed; the first failure stands. */
  fail(code: FailureCode): void {
    if (this.failure !== null) return;
    this.failure = code;
    const row = FAILURES[code];
    this.details = row.details;
    if (row.flag !== '' && !this.flags.includes(row.flag)) this.flags.push(row.flag);
  }

  freeze(): Exchange {
    return {
      id: this.id,
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
      startedAt: this.startedAt,
      durationMs: round(this.durationMs),
      request: { method: this.method, path: this.path, host: this.host, bytes: this.requestBytes },
      response: { status: this.status, bytes: this.responseBytes },
      failure: this.failure,
      flags: this.flags,
      details: this.details,
      decisions: this.decisions,
      attempts: this.attempts,
      security: this.security,
      timings: {
        queueMs: round(this.queueMs),
        connectMs: round(this.connectMs),
        handshakeMs: round(this.handshakeMs),
        upstreamMs: round(this.upstreamMs),
      },
      version: this.version,
    };
  }
}

export const PLAIN: Security = { mode: 'plain', peer: '', tlsVersion: '', cipher: '' };

function round(ms: number): number {
  return Math.round(ms * 1000) / 1000;
}
