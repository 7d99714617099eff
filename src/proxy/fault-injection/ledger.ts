import { type Fault, isOver } from '../../model/fault.js';
import type { Clock } from '../../platform/clock.js';
import type { Random } from '../../platform/random.js';
import type { FieldBlock } from '../codec/field-block.js';
import type { Call } from '../pipeline/call.js';

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

export interface FaultParts {
  readonly clock: Clock;
  readonly random: Random;
  /** Faults of the newest configuration, in order. */
  readonly faults: () => readonly Fault[];
  readonly ledger: FaultLedger;
}

/** Whether a fault that is about this request acts on it: by its time, its counts, its share. Counts it as met. */
export function isDrawn(fault: Fault, call: Call, { clock, random, ledger }: FaultParts): boolean {
  if (!fault.enabled || isOver(fault, clock.now()) || !fits(fault, call)) return false;
  const before = ledger.match(fault.name);
  if (fault.first !== null && before >= fault.first) return false;
  if (fault.every !== null && (before + 1) % fault.every !== 0) return false;
  const nth = ledger.meet(fault.name, call.record.requestId);
  return random.decide(call.record.requestId, `fault ${fault.name} ${nth}`) * 100 < fault.percent;
}

function fits({ match }: Fault, call: Call): boolean {
  const { from, path, headers } = match;
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
