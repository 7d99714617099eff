import { FAILURES, type FailureCode } from '../../model/failure.js';

/**
 * The one error class of the data path, with a closed set of codes (`model/failure.ts`). Foreign errors enter through
 * the constructor's `cause`; what the client sees is decided in one place, by the code.
 */
export class ProxyError extends Error {
  readonly code: FailureCode;
  /** More about this very case, for the record; not shown to the client. */
  readonly detail: string;

  constructor(code: FailureCode, detail = '', options?: ErrorOptions) {
    super(detail === '' ? FAILURES[code].details : `${FAILURES[code].details}: ${detail}`, options);
    this.name = 'ProxyError';
    this.code = code;
    this.detail = detail;
  }
}

/** Any thrown value as a ProxyError: what is not ours is a bug of ours. */
export function asProxyError(error: unknown): ProxyError {
  if (error instanceof ProxyError) return error;
  return new ProxyError('internal_error', error instanceof Error ? error.message : String(error), { cause: error });
}
