import type { Random } from '../../platform/random.js';
import type { Call, Filter } from '../pipeline/call.js';

/** Version 00; all zeros are no id (W3C Trace Context, 3.2.2). */
const TRACEPARENT = /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/;
/** Longest request id that is believed, in characters. */
const REQUEST_ID_LIMIT = 128;

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
    record.traceId = parent === null ? random.hex(16) : (parent[1] as string);
    record.parentSpanId = parent === null ? '' : (parent[2] as string);
    record.spanId = random.hex(8);
    if (came !== undefined) fields.remove('traceparent');
    // Without its parent it means nothing (Trace Context, 3.3.1).
    if (parent === null) fields.remove('tracestate');
    fields.append('traceparent', `00-${record.traceId}-${record.spanId}-${parent === null ? '01' : parent[3]}`);
    if (given !== undefined && !edge && isBelievable(given)) record.requestId = given;
    else {
      record.requestId = random.uuid();
      if (given !== undefined) fields.remove('x-request-id');
      fields.append('x-request-id', record.requestId);
    }
    return next(call);
  };
}

function isBelievable(requestId: string): boolean {
  return requestId !== '' && requestId.length <= REQUEST_ID_LIMIT;
}
