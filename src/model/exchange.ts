import type { SourceRef } from './app.js';
import type { FailureCode } from './failure.js';

/**
 * One request (or TCP connection) as one sidecar saw it. Every screen, `tap` and `explain` are views of these.
 * Times are milliseconds; instants are epoch milliseconds of the reporting sidecar's clock.
 */
export interface Exchange {
  /** Unique per record: `<workload>/<run of its sidecar>-<counter>`. */
  readonly id: string;
  readonly kind: 'http' | 'tcp';
  /** `x-request-id`: the same at every hop. Empty for TCP. */
  readonly requestId: string;
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string;
  readonly reporter: { readonly workload: string; readonly direction: Direction };
  readonly source: Party;
  /** `service` is empty for what the gateway answered itself: refused, redirected, or met by no rule. */
  readonly destination: Party & { readonly service: string; readonly port: number };
  readonly startedAt: number;
  readonly durationMs: number;
  readonly request: { readonly method: string; readonly path: string; readonly host: string; readonly bytes: number };
  /** `status` is what the downstream side got; 0 = connection closed without an answer. */
  readonly response: { readonly status: number; readonly bytes: number };
  /** Null = the upstream answered and the answer was passed on whole. */
  readonly failure: FailureCode | null;
  /** Envoy's response flags, e.g. `['URX', 'UF']`; empty = `-`. */
  readonly flags: readonly string[];
  /** Envoy's response code details, e.g. `via_upstream`. */
  readonly details: string;
  readonly decisions: readonly Decision[];
  /** The rules that were asked before one was met, where a host has several; empty where it has one. */
  readonly considered: readonly Consideration[];
  readonly attempts: readonly Attempt[];
  /** Encryption of the connection on which the request arrived (inbound) or left (outbound, last attempt). */
  readonly security: Security;
  readonly timings: Timings;
  /** Snapshot version by which it was decided. */
  readonly version: number;
}

/** A rule that a request was held against. */
export interface Consideration {
  readonly rule: string;
  readonly source: SourceRef | null;
  /** The first of its conditions that did not hold; '' = it was met. */
  readonly why: string;
}

export type Direction = 'outbound' | 'inbound' | 'gateway';

export interface Party {
  /** Workload name where known, else an address. */
  readonly workload: string;
  /** SPIFFE ID proved by certificate; empty = not proved. */
  readonly principal: string;
}

export interface Decision {
  readonly kind:
    | 'route'
    | 'split'
    | 'endpoint'
    | 'retry'
    | 'fault'
    | 'timeout'
    | 'mtls'
    | 'passthrough'
    | 'mirror'
    | 'rate-limit'
    | 'authorization'
    | 'token';
  /** A plain sentence without the final full stop. */
  readonly text: string;
  /** Name of the rule, fault or policy that decided; empty when none did. */
  readonly rule: string;
  readonly source: SourceRef | null;
}

export interface Attempt {
  readonly number: number;
  readonly endpoint: string;
  readonly workload: string;
  /** Milliseconds after the exchange's start. */
  readonly startedMs: number;
  readonly durationMs: number;
  /** Status the endpoint answered; 0 = none. */
  readonly status: number;
  readonly failure: FailureCode | null;
  /** Why another attempt followed, or why none did; empty on success. */
  readonly next: string;
  readonly reusedConnection: boolean;
}

export interface Security {
  /** `tls` = the server alone proved a name (a DestinationRule's SIMPLE), or both did with certificates of no mesh (MUTUAL). */
  readonly mode: 'mtls' | 'tls' | 'plain';
  /** Peer's SPIFFE ID over mTLS, the name that was asked for over TLS. */
  readonly peer: string;
  readonly tlsVersion: string;
  readonly cipher: string;
}

/** How a connection was secured, in words. */
export const SECURED: Readonly<Record<Security['mode'], string>> = {
  mtls: 'over mutual TLS',
  tls: 'over TLS without identities of the mesh',
  plain: 'in plaintext',
};

/** What policy tests call it. */
export const ENCRYPTION = { mtls: 'mtls', tls: 'tls', plain: 'plaintext' } as const satisfies Record<
  Security['mode'],
  string
>;
export type Encryption = (typeof ENCRYPTION)[Security['mode']];

/** Where the time went; they add up to about `durationMs`. */
export interface Timings {
  /** Waiting in our own queues, back-off between attempts and injected delay. */
  readonly queueMs: number;
  readonly connectMs: number;
  readonly handshakeMs: number;
  /** From the request handed to a connection to the head of its answer, or to the failure; all tries together. */
  readonly upstreamMs: number;
  /** From the head of the answer to its last byte: the app's pace, or the caller's. */
  readonly bodyMs: number;
  /** What is left: our own processing. */
  readonly ownMs: number;
}
