import type { Random } from '../../platform/random.js';
import type { Call, Filter } from '../pipeline/call.js';

/** Version 00, trace, span and flags; all zeros are no id (W3C Trace Context, 3.2.2). */
const TRACEPARENT = /^00-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/;
const NO_TRACE = '0'.repeat(32);
const NO_SPAN = '0'.repeat(16);
/** Longest request id that is believed, in characters. */
const REQUEST_ID_LIMIT = 128;

/**
 * Gives the request its ids before anything is decided: W3C `traceparent` (this sidecar's span becomes the parent of what
 * follows) and `x-request-id`. Behind the gateway both are kept when the app passed them on; at the gateway the request
 * id is always new, since what comes from outside proves nothing. `sampled` = share of the traces begun here that are
 * marked for whoever collects them, 0-100.
 */
export function trace(random: Random, edge: boolean, sampled: () => number = ALL): Filter<Call> {
  const flags = (traceId: string): string => {
    const percent = sampled();
    return percent >= 100 || random.decide(traceId, 'sampling') * 100 < percent ? '01' : '00';
  };
  return (next) => (call) => {
    const { record } = call;
    const { fields } = call.head;
    const came = fields.get('traceparent');
    const given = fields.get('x-request-id');
    const parent = came === undefined || !isTraceparent(came) ? null : came;
    record.traceId = parent === null ? random.hex(16) : parent.slice(3, 35);
    record.parentSpanId = parent === null ? '' : parent.slice(36, 52);
    record.spanId = random.hex(8);
    if (came !== undefined) fields.remove('traceparent');
    // Without its parent it means nothing (Trace Context, 3.3.1).
    if (parent === null) fields.remove('tracestate');
    fields.append(
      'traceparent',
      `00-${record.traceId}-${record.spanId}-${parent === null ? flags(record.traceId) : parent.slice(53)}`,
    );
    if (given !== undefined && !edge && isBelievable(given)) record.requestId = given;
    else {
      record.requestId = random.uuid();
      if (given !== undefined) fields.remove('x-request-id');
      fields.append('x-request-id', record.requestId);
    }
    return next(call);
  };
}

const ALL = (): number => 100;

function isTraceparent(text: string): boolean {
  return TRACEPARENT.test(text) && !text.startsWith(NO_TRACE, 3) && !text.startsWith(NO_SPAN, 36);
}

function isBelievable(requestId: string): boolean {
  return requestId !== '' && requestId.length <= REQUEST_ID_LIMIT;
}
