import { targetChange } from '../../matching/target-change.js';
import type { DirectAction, RedirectAction, RouteMatch } from '../../model/route.js';
import { bodyOf } from '../codec/body.js';
import { FieldBlock } from '../codec/field-block.js';
import type { RequestHead } from '../codec/message.js';
import { reasonOf } from '../codec/reason.js';
import type { Call, Reply } from '../pipeline/call.js';
import { grpcReply, grpcStatusOf, isGrpc } from '../pipeline/grpc-reply.js';
import { redirectLocation } from './redirect.js';

/** The answers that a route gives in place of an app. */
export function answerOf(action: RedirectAction | DirectAction, match: RouteMatch): (call: Call) => Reply {
  if (action.kind === 'redirect') {
    const location = locationOf(action, match);
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

/** Where a redirect sends a request. Throws when its path is none. */
export function locationOf(action: RedirectAction, match: RouteMatch): (head: RequestHead) => string {
  const change = action.path === null ? null : targetChange(action.path, match.path);
  return (head) => redirectLocation(action, change, head);
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
