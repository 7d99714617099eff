import type { FailureCode } from '../../model/failure.js';
import type { EndpointOutcome } from '../pipeline/cluster.js';

/** What a failure of ours to get an answer counts as (Envoy maps its local-origin results so). */
const COUNTS_AS: Readonly<Partial<Record<FailureCode, 503 | 504>>> = {
  connect_failure: 503,
  connect_timeout: 503,
  tls_failure: 503,
  identity_mismatch: 503,
  connection_termination: 503,
  upstream_protocol_error: 503,
  per_try_timeout: 504,
  request_timeout: 504,
  stream_idle_timeout: 504,
};

/** Those of them that came before there was a connection. */
const UNCONNECTED: ReadonlySet<EndpointOutcome> = new Set<FailureCode>([
  'connect_failure',
  'connect_timeout',
  'tls_failure',
  'identity_mismatch',
]);

export interface Judged {
  readonly status: number;
  /** The endpoint did not answer; the status is ours. */
  readonly local: boolean;
  /** There was a connection, which by itself is a success of reaching it (Envoy's `LocalOriginConnectSuccess`). */
  readonly reached: boolean;
}

/** What an outcome says about the endpoint; null when nothing (the caller left, a limit of ours). */
export function judged(outcome: EndpointOutcome): Judged | null {
  if (typeof outcome === 'number') return { status: outcome, local: false, reached: true };
  const status = COUNTS_AS[outcome];
  return status === undefined ? null : { status, local: true, reached: !UNCONNECTED.has(outcome) };
}
