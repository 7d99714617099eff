import { describeFaultAction, type Fault } from '../../model/fault.js';
import type { Call, Filter, Handler, Reply } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { sickAnswer } from './answer-fault.js';
import { type FaultParts, isDrawn } from './ledger.js';
import { wait } from './wait.js';

/**
 * Our `Fault` at the callee's inbound: the delay first, then the end of the request before the app is asked, or what
 * happens to the app's answer. Callers see a sick service, so their retries apply. The first fault that matches and is
 * drawn acts; the others do not.
 */
export function injectFaults(parts: FaultParts): Filter<Call> {
  return (next) => (call) => {
    const faults = parts.faults();
    if (faults.length === 0) return next(call);
    const fault = faults.find((candidate) => isDrawn(candidate, call, parts));
    return fault === undefined ? next(call) : act(fault, call, parts, next);
  };
}

async function act(fault: Fault, call: Call, parts: FaultParts, next: Handler<Call>): Promise<Reply> {
  parts.ledger.hit(fault.name);
  call.record.decide({
    kind: 'fault',
    text: `fault ${fault.name} acted: ${describeFaultAction(fault.action)}`,
    rule: fault.name,
    source: null,
  });
  const { delay, end, answer } = fault.action;
  if (delay !== null) {
    call.record.flag('DI');
    await wait(delayMs(delay, fault, call, parts), call, parts.clock);
  }
  if (end?.kind === 'blackhole') return silence(call);
  if (end !== null) {
    call.faultStatus = end.kind === 'abort' ? end.status : null;
    throw new ProxyError(end.kind === 'abort' ? 'fault_abort' : 'fault_reset', fault.name);
  }
  const reply = await next(call);
  return answer === null ? reply : sickAnswer(reply, answer, { call, clock: parts.clock, random: parts.random });
}

function delayMs(delay: { ms: number; jitterMs: number }, fault: Fault, call: Call, parts: FaultParts): number {
  if (delay.jitterMs === 0) return delay.ms;
  const chance = parts.random.decide(call.record.spanId, `jitter ${fault.name}`);
  return Math.max(0, delay.ms + (chance * 2 - 1) * delay.jitterMs);
}

/** No answer, until somebody gives up. */
function silence(call: Call): Promise<Reply> {
  return new Promise((_resolve, reject) => {
    call.active = { abort: reject };
    if (call.cancelled !== null) reject(call.cancelled);
  });
}
