import { TOKEN_FAILURES } from './token-failure.js';

/**
 * The one total table of what can go wrong on the data path: code → what the client gets, Envoy's response flag and
 * details, whom to blame, and a sentence. Nothing else in the project chooses a status for a failure.
 */

export type Blame = 'app' | 'caller-policy' | 'callee-policy' | 'network' | 'client' | 'configuration' | 'injected';

export interface FailureRow {
  /** Status for the downstream side; 0 = close the connection without an answer. */
  readonly status: number;
  readonly flag: string;
  readonly details: string;
  /** Body of the proxy's own answer, Envoy's text where Envoy has one. */
  readonly body: string;
  readonly blame: Blame;
  /** What happened, for a person; `%s` is the service. */
  readonly sentence: string;
}

const connectError = (reason: string): string =>
  `upstream connect error or disconnect/reset before headers. reset reason: ${reason}`;

export const FAILURES = {
  route_not_found: {
    status: 404,
    flag: 'NR',
    details: 'route_not_found',
    body: '',
    blame: 'configuration',
    sentence: 'no route matched the request for %s',
  },
  no_path: {
    status: 404,
    flag: '',
    details: 'absolute_path_rejected',
    body: '',
    blame: 'client',
    sentence: 'a request to %s that names no path meets no route',
  },
  host_unknown: {
    status: 502,
    flag: '',
    details: 'direct_response',
    body: '',
    blame: 'configuration',
    sentence: 'the host %s is not in the registry, and the mesh allows registered hosts only',
  },
  egress_denied: {
    status: 403,
    flag: '',
    details: 'egress_denied',
    body: '',
    blame: 'caller-policy',
    sentence: 'the host %s is outside of the mesh, and the policy of its egress denies what it does not name',
  },
  cluster_not_found: {
    status: 503,
    flag: 'NC',
    details: 'cluster_not_found',
    body: '',
    blame: 'configuration',
    sentence: 'the route for %s names a destination that does not exist',
  },
  backend_not_found: {
    status: 500,
    flag: 'NC',
    details: 'cluster_not_found',
    body: '',
    blame: 'configuration',
    sentence: 'the route for %s names a backend that does not exist',
  },
  no_healthy_upstream: {
    status: 503,
    flag: 'UH',
    details: 'no_healthy_upstream',
    body: 'no healthy upstream',
    blame: 'configuration',
    sentence: 'no endpoint of %s is ready',
  },
  connect_failure: {
    status: 503,
    flag: 'UF',
    details: 'upstream_reset_before_response_started{connection_failure}',
    body: connectError('connection failure'),
    blame: 'network',
    sentence: 'the connection to %s could not be opened',
  },
  connect_timeout: {
    status: 503,
    flag: 'UF',
    details: 'upstream_reset_before_response_started{connection_timeout}',
    body: connectError('connection timeout'),
    blame: 'network',
    sentence: 'the connection to %s was not accepted in time',
  },
  tls_failure: {
    status: 503,
    flag: 'UF',
    details: 'upstream_reset_before_response_started{connection_failure,TLS_error}',
    body: connectError('connection failure'),
    blame: 'configuration',
    sentence: 'the TLS handshake with %s failed',
  },
  identity_mismatch: {
    status: 503,
    flag: 'UF',
    details: 'upstream_reset_before_response_started{connection_failure,TLS_error:identity}',
    body: connectError('connection failure'),
    blame: 'callee-policy',
    sentence: 'the server that answered for %s proved another identity than the one expected',
  },
  own_identity_unavailable: {
    status: 503,
    flag: 'UF',
    details: 'upstream_reset_before_response_started{connection_failure,TLS_error:no_certificate}',
    body: connectError('connection failure'),
    blame: 'configuration',
    sentence: 'this sidecar has no valid certificate, so nothing may leave for %s',
  },
  overflow: {
    status: 503,
    flag: 'UO',
    details: 'upstream_reset_before_response_started{overflow}',
    body: connectError('overflow'),
    blame: 'caller-policy',
    sentence: 'as many requests to %s are under way, or wait, as the policy allows',
  },
  connection_termination: {
    status: 503,
    flag: 'UC',
    details: 'upstream_reset_before_response_started{connection_termination}',
    body: connectError('connection termination'),
    blame: 'app',
    sentence: '%s closed the connection without answering',
  },
  upstream_protocol_error: {
    status: 502,
    flag: 'UPE',
    details: 'upstream_reset_before_response_started{protocol_error}',
    body: connectError('protocol error'),
    blame: 'app',
    sentence: '%s answered something that is not valid HTTP/1.1',
  },
  truncated_response: {
    status: 0,
    flag: 'UPE',
    details: 'upstream_reset_after_response_started{protocol_error}',
    body: '',
    blame: 'app',
    sentence: '%s broke off in the middle of its answer',
  },
  request_timeout: {
    status: 504,
    flag: 'UT',
    details: 'response_timeout',
    body: 'upstream request timeout',
    blame: 'caller-policy',
    sentence: '%s did not answer within the time that the route allows',
  },
  per_try_timeout: {
    status: 504,
    flag: 'UT',
    details: 'upstream_per_try_timeout',
    body: 'upstream request timeout',
    blame: 'caller-policy',
    sentence: '%s did not answer within the time that the route allows for one try',
  },
  client_gone: {
    status: 0,
    flag: 'DC',
    details: 'downstream_remote_disconnect',
    body: '',
    blame: 'client',
    sentence: 'the caller closed its connection before the answer was complete',
  },
  bad_request: {
    status: 400,
    flag: 'DPE',
    details: 'http1.codec_error',
    body: 'Bad Request',
    blame: 'client',
    sentence: 'the caller did not send valid HTTP/1.1',
  },
  missing_host: {
    status: 400,
    flag: 'DPE',
    details: 'missing_host_header',
    body: 'Bad Request',
    blame: 'client',
    sentence: 'the caller sent no valid Host',
  },
  path_normalization_failed: {
    status: 400,
    flag: 'DPE',
    details: 'path_normalization_failed',
    body: 'Bad Request',
    blame: 'client',
    sentence: 'the path of the request cannot be made canonical',
  },
  uri_too_long: {
    status: 414,
    flag: 'DPE',
    details: 'http1.uri_too_long',
    body: 'URI Too Long',
    blame: 'client',
    sentence: 'the request target is longer than 8 KiB',
  },
  headers_too_large: {
    status: 431,
    flag: 'DPE',
    details: 'http1.headers_too_large',
    body: 'Request Header Fields Too Large',
    blame: 'client',
    sentence: 'the request has more than 100 header fields or more than 16 KiB of them',
  },
  transfer_encoding_unknown: {
    status: 501,
    flag: 'DPE',
    details: 'http1.unknown_transfer_encoding',
    body: 'Not Implemented',
    blame: 'client',
    sentence: 'the request uses a transfer coding other than chunked',
  },
  expectation_failed: {
    status: 417,
    flag: 'DPE',
    details: 'http1.unknown_expectation',
    body: 'Expectation Failed',
    blame: 'client',
    sentence: 'the request expects something other than 100-continue',
  },
  method_not_allowed: {
    status: 405,
    flag: 'DPE',
    details: 'http1.method_not_allowed',
    body: 'Method Not Allowed',
    blame: 'client',
    sentence: 'the method of the request is not allowed through the mesh',
  },
  http_version: {
    status: 505,
    flag: 'DPE',
    details: 'http1.version_not_supported',
    body: 'HTTP Version Not Supported',
    blame: 'client',
    sentence: 'the request is not HTTP/1.1',
  },
  low_version: {
    status: 426,
    flag: 'DPE',
    details: 'low_version',
    body: 'Upgrade Required',
    blame: 'client',
    sentence: 'the caller speaks HTTP/1.0, which a mesh does not serve',
  },
  request_head_timeout: {
    status: 408,
    flag: 'SI',
    details: 'request_header_timeout',
    body: 'Request Timeout',
    blame: 'client',
    sentence: 'the caller did not send its whole request head in time',
  },
  request_body_timeout: {
    status: 408,
    flag: 'SI',
    details: 'request_body_timeout',
    body: 'stream timeout',
    blame: 'client',
    sentence: 'the caller did not send the rest of its request in time',
  },
  rate_limited: {
    status: 429,
    flag: 'RL',
    details: 'local_rate_limited',
    body: 'local_rate_limited',
    blame: 'callee-policy',
    sentence: 'more requests came to %s than its rate limit allows',
  },
  dns_failure: {
    status: 503,
    flag: 'DF',
    details: 'dns_resolution_failure',
    body: connectError('dns resolution failure'),
    blame: 'network',
    sentence: 'the name of %s could not be resolved',
  },
  stream_idle_timeout: {
    status: 504,
    flag: 'SI',
    details: 'stream_idle_timeout',
    body: 'stream timeout',
    blame: 'network',
    sentence: 'nothing moved between the caller and %s for too long',
  },
  loop_detected: {
    status: 508,
    flag: 'LR',
    details: 'loop_detected',
    body: 'Loop Detected',
    blame: 'configuration',
    sentence: 'the request came back to a sidecar that it had passed too often',
  },
  plaintext_refused: {
    status: 0,
    flag: 'NR',
    details: 'filter_chain_not_found',
    body: '',
    blame: 'callee-policy',
    sentence: '%s accepts mutual TLS only, and the caller came in plaintext',
  },
  peer_identity_refused: {
    status: 0,
    flag: 'NR',
    details: 'peer_identity_refused',
    body: '',
    blame: 'callee-policy',
    sentence: 'the certificate of the caller is not acceptable to %s',
  },
  access_denied: {
    status: 403,
    flag: '',
    details: 'rbac_access_denied',
    body: 'RBAC: access denied',
    blame: 'callee-policy',
    sentence: 'the authorization policies of %s do not let this caller do this',
  },
  authorizer_denied: {
    status: 403,
    flag: 'UAEX',
    details: 'ext_authz_denied',
    body: '',
    blame: 'callee-policy',
    sentence: 'the authorizer that the policies of %s ask does not let this caller do this',
  },
  authorizer_error: {
    status: 403,
    flag: 'UAEX',
    details: 'ext_authz_error',
    body: '',
    blame: 'callee-policy',
    sentence: 'the authorizer that the policies of %s ask gave no answer, and without one nobody is let in',
  },
  ...TOKEN_FAILURES,
  fault_abort: {
    status: 503,
    flag: 'FI',
    details: 'fault_filter_abort',
    body: 'fault filter abort',
    blame: 'injected',
    sentence: 'a fault that you injected made %s fail',
  },
  fault_reset: {
    status: 0,
    flag: 'FI',
    details: 'fault_filter_reset',
    body: '',
    blame: 'injected',
    sentence: 'a fault that you injected reset the connection to %s',
  },
  overloaded: {
    status: 503,
    flag: 'OM',
    details: 'overload',
    body: 'overloaded',
    blame: 'callee-policy',
    sentence: 'the sidecar before %s has no memory left for more requests',
  },
  draining: {
    status: 503,
    flag: 'LR',
    details: 'draining',
    body: 'draining',
    blame: 'configuration',
    sentence: 'the sidecar is shutting down',
  },
  internal_error: {
    status: 500,
    flag: 'LR',
    details: 'internal_error',
    body: 'internal error',
    blame: 'configuration',
    sentence: 'the sidecar itself failed: a bug worth reporting',
  },
} as const satisfies Record<string, FailureRow>;

export type FailureCode = keyof typeof FAILURES;

/** The row of a code; total by type. */
export function failureRow(code: FailureCode): FailureRow {
  return FAILURES[code];
}

/** The sentence of a code with the service filled in. */
export function failureSentence(code: FailureCode, service: string): string {
  return FAILURES[code].sentence.replace('%s', service);
}

/**
 * Whose fault something was, as a person says it; `caller` and `callee` name them. Without a callee it is the gateway that
 * turned somebody away, by policies of its own.
 */
export function blameWords(
  blame: Blame,
  { caller, callee }: { readonly caller: string; readonly callee: string },
): string {
  switch (blame) {
    case 'app':
      return `The app of ${callee}`;
    case 'caller-policy':
      return `Policy of the caller's sidecar (${caller})`;
    case 'callee-policy':
      return callee === '' ? `Policy of ${caller}` : `Policy of the callee's sidecar (${callee})`;
    case 'network':
      return 'The network or a missing process';
    case 'client':
      return 'The caller';
    case 'configuration':
      return 'Configuration';
    case 'injected':
      return 'An injected fault, not the app';
  }
}
