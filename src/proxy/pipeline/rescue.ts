import { FAILURES } from '../../model/failure.js';
import type { FieldChanges } from '../../model/route.js';
import { bodyOf } from '../codec/body.js';
import { FieldBlock } from '../codec/field-block.js';
import type { ResponseHead } from '../codec/message.js';
import { reasonOf } from '../codec/reason.js';
import type { Call, Filter, Reply } from './call.js';
import { grpcStatusOf, isGrpc } from './grpc.js';
import { asProxyError, type ProxyError } from './proxy-error.js';

/**
 * The one place that decides what a caller sees when a request failed inside the mesh: the total table of failures gives
 * status and body, the record gets code, flag and details.
 */
export function rescue(onBug: (error: ProxyError) => void): Filter<Call> {
  return (next) => (call) => {
    try {
      return next(call).then(
        (reply) => changed(call, reply),
        (thrown) => changed(call, answer(call, thrown, onBug)),
      );
    } catch (thrown) {
      return Promise.resolve(changed(call, answer(call, thrown, onBug)));
    }
  };
}

/** What the route wants changed in an answer, be it the app's or our own. */
function changed(call: Call, reply: Reply): Reply {
  for (let i = 0; i < call.replyChanges.length; i++) reply.head.fields.change(call.replyChanges[i] as FieldChanges);
  return reply;
}

function answer(call: Call, thrown: unknown, onBug: (error: ProxyError) => void): Reply {
  const error = asProxyError(thrown);
  if (error.code === 'internal_error') onBug(error);
  call.record.fail(error.code);
  call.body.abandon();
  return isGrpc(call.head.fields) ? grpcReplyOf(error) : replyOf(error, call.faultStatus);
}

/** The proxy's own answer for a failure; `status` overrides the table's where a policy chose one (fault abort). */
export function replyOf(error: ProxyError, status: number | null): Reply {
  const row = FAILURES[error.code];
  const content = Buffer.from(row.body, 'latin1');
  const fields = FieldBlock.of('server', 'mesh-sandbox');
  if (content.length > 0) fields.append('content-type', 'text/plain');
  if (error.code === 'overflow') fields.append('x-envoy-overloaded', 'true');
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

/** A failure as gRPC has it: status 200, and what happened in fields. A connection that is closed stays closed. */
function grpcReplyOf(error: ProxyError): Reply {
  const row = FAILURES[error.code];
  if (row.status === 0) return replyOf(error, null);
  const fields = FieldBlock.of(
    ...['server', 'mesh-sandbox', 'content-type', 'application/grpc'],
    ...['grpc-status', String(grpcStatusOf(row.status)), 'grpc-message', row.body],
  );
  return {
    head: { status: 200, reason: 'OK', fields, length: 0, declaredLength: -1, keepAlive: true, upgraded: false },
    body: bodyOf(Buffer.alloc(0)),
    tunnel: null,
  };
}
