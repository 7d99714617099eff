import { bodyOf } from '../codec/body.js';
import { FieldBlock } from '../codec/field-block.js';
import type { RequestHead } from '../codec/message.js';
import type { Reply } from './call.js';

/** Whether a request is a gRPC call, whose callers look for failures in a field of the answer. */
export function isGrpc({ fields }: RequestHead): boolean {
  const type = fields.get('content-type');
  return type !== undefined && /^application\/grpc(?:\+|;|$)/.test(type);
}

/** An answer of our own to a gRPC call: status 200 whatever it says (Envoy, `sendLocalReply`). */
export function grpcReply(status: number, message: string): Reply {
  const fields = FieldBlock.of('server', 'mesh-sandbox');
  fields.append('content-type', 'application/grpc');
  fields.append('grpc-status', String(status));
  if (message !== '') fields.append('grpc-message', message);
  return {
    head: { status: 200, reason: 'OK', fields, length: 0, declaredLength: -1, keepAlive: true, upgraded: false },
    body: bodyOf(Buffer.alloc(0)),
    tunnel: null,
  };
}

/** gRPC's mapping of HTTP statuses (grpc/grpc `doc/http-grpc-status-mapping.md`). */
export function grpcStatusOf(status: number): number {
  switch (status) {
    case 400:
      return 13;
    case 401:
      return 16;
    case 403:
      return 7;
    case 404:
      return 12;
    case 429:
    case 502:
    case 503:
    case 504:
      return 14;
    default:
      return 2;
  }
}
