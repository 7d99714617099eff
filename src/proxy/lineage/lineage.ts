import type { Propagation } from '../../model/propagation.js';
import type { Clock } from '../../platform/clock.js';
import type { Call, Filter } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { readLineage } from './fields.js';
import type { LineageTable } from './table.js';

/** Believes what a caller says about the call that it sends on, if its certificate proved who it is. */
export function hearLineage(clock: Clock, propagation: () => Propagation): Filter<Call> {
  return (next) => (call) => {
    if (call.sourceApp !== '') call.lineage = readLineage(call.head.fields, propagation(), clock);
    return next(call);
  };
}

/** While the app answers this call, the calls that it makes for it inherit from it. Stands behind the trace's ids. */
export function keepLineage(table: LineageTable): Filter<Call> {
  return (next) => (call) => {
    table.keep(call);
    return next(call);
  };
}

/**
 * Makes a call of the app the next hop of the one that it is made for. A way that is longer than any sane one is a loop,
 * and ends here (508).
 */
export function inheritLineage(table: LineageTable, mostHops: () => number): Filter<Call> {
  return (next) => (call) => {
    const from = table.of(call.record.traceId, call.record.parentSpanId);
    if (from === null) return next(call);
    call.lineage = { ...from, hops: from.hops + 1 };
    if (from.hops >= mostHops()) throw new ProxyError('loop_detected', `${mostHops()} calls led to this one`);
    return next(call);
  };
}
