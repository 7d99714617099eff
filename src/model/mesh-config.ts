import type { AppSpec, RetrySettings } from './app.js';
import type { Fault } from './fault.js';
import type { MtlsMode } from './sidecar-config.js';

/** The mesh as policies describe it, before anything is known about endpoints. Every dialect compiles into this. */
export interface MeshConfig {
  readonly app: AppSpec;
  readonly seed: number;
  readonly mtls: MtlsMode;
  /** Retry policies are obeyed; false = nobody retries. */
  readonly retries: boolean;
  readonly faults: readonly Fault[];
}

/**
 * Istio's default retry policy (since 1.24 without 503): what a route without one of its own gets. Source: istio
 * `pilot/pkg/networking/core/route/retry`.
 */
export const ISTIO_DEFAULT_RETRIES: RetrySettings = {
  attempts: 2,
  retryOn: ['connect-failure', 'refused-stream', 'unavailable', 'cancelled', 'retriable-status-codes'],
  perTryTimeoutMs: null,
};

/** Envoy's back-off between tries, ms. */
export const BACKOFF = { baseMs: 25, maxMs: 250 } as const;

/** An endpoint that is ready to be called, as the registry knows it. */
export interface ReadyEndpoint {
  readonly workload: string;
  readonly address: string;
  /** App port as declared → port to dial at `address`. */
  readonly ports: Readonly<Record<number, number>>;
}
