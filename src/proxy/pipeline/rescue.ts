import { FAILURES } from '../../model/failure.js';
import { bodyOf } from '../codec/body.js';
import { FieldBlock } from '../codec/field-block.js';
import type { ResponseHead } from '../codec/message.js';
import type { Call, Filter, Reply } from './call.js';
import { asProxyError, type ProxyError } from './proxy-error.js';

/**
 * The one place that decides what a caller sees when a request failed inside the mesh: the total table of failures gives
 * status and body, the record gets code, flag and details.
 */
export function rescue(onBug: (error: ProxyError) => void): Filter<Call> {
  return (next) => (call) => {
    try {
      return next(call).then(undefined, (thrown) => answer(call, thrown, onBug));
    } catch (thrown) {
      return Promise.resolve(answer(call, thrown, onBug));
    }
  };
}

function answer(call: Call, thrown: unknown, onBug: (error: ProxyError) => void): Reply {
  const error = asProxyError(thrown);
  if (error.code === 'internal_error') onBug(error);
  call.record.fail(error.code);
  call.body.abandon();
  return replyOf(error, call.faultStatus);
}

/** The proxy's own answer for a failure; `status` overrides the table's where a policy chose one (fault abort). */
export function replyOf(error: ProxyError, status: number | null): Reply {
  const row = FAILURES[error.code];
  const content = Buffer.from(row.body, 'latin1');
  const fields = FieldBlock.of('server', 'mesh-sandbox');
  if (content.length > 0) fields.append('content-type', 'text/plain');
  const head: ResponseHead = {
    status: error.code === 'fault_abort' && status !== null ? status : row.status,
    reason: reasonOf(status ?? row.status),
    fields,
    length: content.length,
    declaredLength: -1,
    keepAlive: true,
    upgraded: false,
  };
  return { head, body: bodyOf(content), tunnel: null };
}

const REASONS = new Map<number, string>([
  [400, 'Bad Request'],
  [403, 'Forbidden'],
  [404, 'Not Found'],
  [408, 'Request Timeout'],
  [429, 'Too Many Requests'],
  [500, 'Internal Server Error'],
  [502, 'Bad Gateway'],
  [503, 'Service Unavailable'],
  [504, 'Gateway Timeout'],
  [508, 'Loop Detected'],
]);

function reasonOf(status: number): string {
  return REASONS.get(status) ?? 'Mesh';
}
