import { describeFaultAction, type Fault } from '../../model/fault.js';
import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import type { FieldBlock } from '../codec/field-block.js';
import type { Call, Filter, Handler, Reply } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';

export interface FaultParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Faults of the newest configuration, in order. */
  readonly faults: () => readonly Fault[];
  readonly ledger: FaultLedger;
}

/** Request ids that are remembered per fault, to tell a retry from the first try. */
const REMEMBERED = 10_000;

/** What faults have done in this sidecar: hits, and how often each request id has met each of them. */
export class FaultLedger {
  readonly #matched = new Map<string, number>();
  readonly #hits = new Map<string, number>();
  readonly #met = new Map<string, Map<string, number>>();

  /** Counts a matching request and tells how many matched before it. */
  match(fault: string): number {
    const before = this.#matched.get(fault) ?? 0;
    this.#matched.set(fault, before + 1);
    return before;
  }

  /** How often this request id met this fault before: every try of a retried request draws anew, and the same each run. */
  meet(fault: string, requestId: string): number {
    let ids = this.#met.get(fault);
    if (ids === undefined) {
      ids = new Map();
      this.#met.set(fault, ids);
    }
    const before = ids.get(requestId) ?? 0;
    ids.set(requestId, before + 1);
    if (ids.size > REMEMBERED) ids.delete(ids.keys().next().value as string);
    return before;
  }

  hit(fault: string): void {
    this.#hits.set(fault, (this.#hits.get(fault) ?? 0) + 1);
  }

  /** Hits since the last call. */
  takeHits(): Record<string, number> {
    const taken = Object.fromEntries(this.#hits);
    this.#hits.clear();
    return taken;
  }

  /** Forgets faults that are gone, so that one of the same name starts from zero. */
  keepOnly(names: ReadonlySet<string>): void {
    for (const store of [this.#matched, this.#met]) {
      for (const name of store.keys()) if (!names.has(name)) store.delete(name);
    }
  }
}

/**
 * Our `Fault` at the callee's inbound: the delay first, then the abort or reset, before the app is asked. Callers see a
 * sick service, so their retries apply. The first fault that matches and is drawn acts; the others do not.
 */
export function injectFaults(parts: FaultParts): Filter<Call> {
  return (next) => (call) => {
    const faults = parts.faults();
    if (faults.length === 0) return next(call);
    const fault = faults.find((candidate) => isDrawn(candidate, call, parts));
    return fault === undefined ? next(call) : act(fault, call, parts, next);
  };
}

function isDrawn(fault: Fault, call: Call, parts: FaultParts): boolean {
  if (!fault.enabled || !matches(fault, call)) return false;
  const before = parts.ledger.match(fault.name);
  if (fault.first !== null && before >= fault.first) return false;
  const nth = parts.ledger.meet(fault.name, call.record.requestId);
  return parts.random.decide(call.record.requestId, `fault ${fault.name} ${nth}`) * 100 < fault.percent;
}

function matches(fault: Fault, call: Call): boolean {
  const { from, path, headers } = fault.match;
  if (path !== null && !call.head.target.startsWith(path)) return false;
  if (from !== null && !isCaller(from, call)) return false;
  for (const name of Object.keys(headers))
    if (!hasHeader(call.head.fields, name, headers[name] as string)) return false;
  return true;
}

/** `from` names a workload, a service (its workloads are `<service>-<version>` or listed as callers) or a SPIFFE ID. */
function isCaller(from: string, call: Call): boolean {
  const { source, sourcePrincipal } = call.record;
  return from === source || from === sourcePrincipal || call.sourceApp === from;
}

function hasHeader(fields: FieldBlock, name: string, value: string): boolean {
  const found = fields.get(name);
  return found !== undefined && (value === '*' || found === value);
}

async function act(fault: Fault, call: Call, parts: FaultParts, next: Handler<Call>): Promise<Reply> {
  parts.ledger.hit(fault.name);
  call.record.decide({
    kind: 'fault',
    text: `fault ${fault.name} acted: ${describeFaultAction(fault.action)}`,
    rule: fault.name,
    source: null,
  });
  const { delay, end } = fault.action;
  if (delay !== null) {
    call.record.flag('DI');
    await wait(delayMs(delay, fault, call, parts), call, parts.clock);
  }
  if (end === null) return next(call);
  call.faultStatus = end.kind === 'abort' ? end.status : null;
  throw new ProxyError(end.kind === 'abort' ? 'fault_abort' : 'fault_reset', fault.name);
}

function delayMs(delay: { ms: number; jitterMs: number }, fault: Fault, call: Call, parts: FaultParts): number {
  if (delay.jitterMs === 0) return delay.ms;
  const chance = parts.random.decide(call.record.spanId, `jitter ${fault.name}`);
  return Math.max(0, delay.ms + (chance * 2 - 1) * delay.jitterMs);
}

function wait(ms: number, call: Call, clock: Clock): Promise<void> {
  const started = clock.monotonic();
  return new Promise((resolve, reject) => {
    const timer = clock.after(ms, () => {
      call.record.queueMs += clock.monotonic() - started;
      call.active = null;
      resolve();
    });
    call.active = {
      abort: (error) => {
        timer.cancel();
        reject(error);
      },
    };
  });
}
