import { redirectTo } from '../../matching/redirect-location.js';
import type { DirectAction, RedirectAction, RouteMatch } from '../../model/route.js';
import { bodyOf } from '../codec/body.js';
import { FieldBlock } from '../codec/field-block.js';
import { reasonOf } from '../codec/reason.js';
import type { Call, Reply } from '../pipeline/call.js';
import { grpcReply, grpcStatusOf, isGrpc } from '../pipeline/grpc-reply.js';

/** The answers that a route gives in place of an app. */
export function answerOf(action: RedirectAction | DirectAction, match: RouteMatch): (call: Call) => Reply {
  if (action.kind === 'redirect') {
    const location = redirectTo(action, match);
    return ({ head }) => redirectReply(action.status, location(head));
  }
  const body = Buffer.from(action.body, 'utf8');
  return (call) => {
    if (isGrpc(call.head)) return grpcReply(grpcStatusOf(action.status), action.body);
    const fields = FieldBlock.of('server', 'mesh-sandbox');
    if (body.length > 0) fields.append('content-type', 'text/plain');
    if (action.status === 201) fields.append('location', `http://${call.head.host}${call.head.target}`);
    return ownReply(action.status, fields, body);
  };
}

export function redirectReply(status: number, location: string): Reply {
  return ownReply(status, FieldBlock.of('location', location, 'server', 'mesh-sandbox'), EMPTY);
}

const EMPTY = Buffer.alloc(0);

function ownReply(status: number, fields: FieldBlock, content: Buffer): Reply {
  const body = status === 204 || status === 304 ? EMPTY : content;
  return {
    head: {
      status,
      reason: reasonOf(status),
      fields,
      length: body.length,
      declaredLength: -1,
      keepAlive: true,
      upgraded: false,
    },
    body: bodyOf(body),
    tunnel: null,
  };
}
