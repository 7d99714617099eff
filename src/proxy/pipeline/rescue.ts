import { FAILURES } from '../../model/failure.js';
import type { FieldChanges } from '../../model/route.js';
import type { SidecarConfig } from '../../model/sidecar-config.js';
import { bodyOf } from '../codec/body.js';
import { FieldBlock } from '../codec/field-block.js';
import type { ResponseHead } from '../codec/message.js';
import { reasonOf } from '../codec/reason.js';
import type { Call, Filter, Reply } from './call.js';
import { grpcReply, grpcStatusOf, isGrpc } from './grpc-reply.js';
import { asProxyError, type ProxyError } from './proxy-error.js';

/**
 * The one place that decides what a caller sees when a request failed inside the mesh: the total table of failures gives
 * status and body, the record gets code, flag and details.
 */
export function rescue(
  onBug: (error: ProxyError) => void,
  errorField: () => SidecarConfig['errorField'],
): Filter<Call> {
  return (next) => (call) => {
    try {
      return next(call).then(
        (reply) => changed(call, reply),
        (thrown) => changed(call, named(call, answer(call, thrown, onBug), errorField())),
      );
    } catch (thrown) {
      return Promise.resolve(changed(call, named(call, answer(call, thrown, onBug), errorField())));
    }
  };
}

/** Linkerd's proxies say of their own answers why they are given. */
function named(call: Call, reply: Reply, field: SidecarConfig['errorField']): Reply {
  const { failure, service, destination } = call.record;
  if (field === undefined || failure === null) return reply;
  const words = FAILURES[failure].sentence.replace('%s', destination || service).replace(/[^ -~]/g, '?');
  reply.head.fields.append(field, words);
  return reply;
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
  return isGrpc(call.head) ? grpcFailure(error, call.faultStatus) : replyOf(error, call.faultStatus);
}

/** The same for a gRPC call; what closes a connection closes it here too. */
function grpcFailure(error: ProxyError, status: number | null): Reply {
  const plain = replyOf(error, status);
  if (plain.head.status === 0) return plain;
  const reply = grpcReply(grpcStatusOf(plain.head.status), FAILURES[error.code].body);
  if (error.code === 'overflow') reply.head.fields.append('x-envoy-overloaded', 'true');
  return reply;
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
