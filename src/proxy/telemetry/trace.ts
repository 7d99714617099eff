import type { Random } from '../../platform/random.js';
import { fieldOf, setField } from '../codec/message.js';
import type { Call, Filter } from '../pipeline/call.js';

const TRACEPARENT = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
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
    const parent = TRACEPARENT.exec(fieldOf(fields, 'traceparent') ?? '');
    const known = parent !== null && parent[1] !== NO_TRACE;
    record.traceId = known ? (parent[1] as string) : random.hex(16);
    record.parentSpanId = known ? (parent[2] as string) : '';
    record.spanId = random.hex(8);
    setField(fields, 'traceparent', `00-${record.traceId}-${record.spanId}-${known ? parent[3] : '01'}`);
    const given = edge ? undefined : fieldOf(fields, 'x-request-id');
    record.requestId = given !== undefined && given.length <= 128 ? given : uuid(random);
    if (given !== record.requestId) setField(fields, 'x-request-id', record.requestId);
    return next(call);
  };
}

/** A version 4 UUID from the seeded stream, so that request ids repeat with the seed. */
function uuid(random: Random): string {
  const hex = random.hex(16);
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-${'89ab'[Number.parseInt(hex[16] as string, 16) & 3]}${hex.slice(17, 20)}-${hex.slice(20)}`;
}
