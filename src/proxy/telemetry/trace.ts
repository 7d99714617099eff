import type { Random } from '../../platform/random.js';
import type { Call, Filter } from '../pipeline/call.js';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
/** Longest request id that is believed, in characters. */
const REQUEST_ID_LIMIT = 128;
const NO_TRACE = '0'.repeat(32);

/**
 * Gives the request its ids before anything is decided: W3C `traceparent` (this sidecar's span becomes the parent of what
 * follows) and `x-request-id`. Behind the gateway both are kept when the app passed them on; at the gateway the request
 * id is always new, since what comes from outside proves nothing.
 */
export function trace(random: Random, edge: boolean): Filter<Call> {
  return (next) => (call) => {
    const { record } = call;
    const { fields } = call.head;
    const came = fields.get('traceparent');
    const given = fields.get('x-request-id');
    const parent = came === undefined ? null : TRACEPARENT.exec(came);
    const known = parent !== null && parent[1] !== NO_TRACE;
    record.traceId = known ? (parent[1] as string) : random.hex(16);
    record.parentSpanId = known ? (parent[2] as string) : '';
    record.spanId = random.hex(8);
    if (came !== undefined) fields.remove('traceparent');
    if (given !== undefined && (edge || given.length > REQUEST_ID_LIMIT)) fields.remove('x-request-id');
    fields.append('traceparent', `00-${record.traceId}-${record.spanId}-${known ? parent[3] : '01'}`);
    identify(call, edge ? undefined : given, random);
    return next(call);
  };
}

function identify(call: Call, given: string | undefined, random: Random): void {
  if (given !== undefined && given.length <= REQUEST_ID_LIMIT) {
    call.record.requestId = given;
    return;
  }
  call.record.requestId = random.uuid();
  call.head.fields.append('x-request-id', call.record.requestId);
}
