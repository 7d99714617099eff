import type { Call, Finalizer, Lineage } from '../pipeline/call.js';

/**
 * What the calls that an app is busy with hand on to the calls that it makes meanwhile: an app that passes `traceparent`
 * on tells by it which belongs to which. A call made below the very span of an inbound one inherits from that; one of the
 * same trace whose span is the app's own inherits from all of them what can hurt least.
 */
export class LineageTable {
  readonly #byTrace = new Map<string, Entry>();

  /** The call is being answered by the app; until it is finished, calls may inherit from it. */
  keep(call: Call): void {
    const { traceId, spanId } = call.record;
    const entry = new Entry(this.#byTrace, traceId, spanId, call.lineage);
    this.#byTrace.set(traceId, entry);
    call.onFinish(entry);
  }

  /** What a call of the app inherits, or null: it is the first of its kind. */
  of(traceId: string, parentSpanId: string): Lineage | null {
    if (this.#byTrace.size === 0) return null;
    let merged: Lineage | null = null;
    for (let entry = this.#byTrace.get(traceId) ?? null; entry !== null; entry = entry.older) {
      if (entry.spanId === parentSpanId) return entry.lineage;
      merged = merged === null ? entry.lineage : leastHarm(merged, entry.lineage);
    }
    return merged;
  }

  /** Traces that something may inherit from. */
  get size(): number {
    return this.#byTrace.size;
  }
}

/** The longer time, retries unless all are retried; and the longer way, since a loop passes again and again. */
function leastHarm(a: Lineage, b: Lineage): Lineage {
  return { hops: Math.max(a.hops, b.hops), until: Math.max(a.until, b.until), retried: a.retried && b.retried };
}

class Entry implements Finalizer {
  readonly spanId: string;
  readonly lineage: Lineage;
  older: Entry | null;
  readonly #table: Map<string, Entry>;
  readonly #traceId: string;

  constructor(table: Map<string, Entry>, traceId: string, spanId: string, lineage: Lineage) {
    this.#table = table;
    this.#traceId = traceId;
    this.spanId = spanId;
    this.lineage = lineage;
    this.older = table.get(traceId) ?? null;
  }

  cancel(): void {
    const newest = this.#table.get(this.#traceId);
    if (newest === this) {
      if (this.older === null) this.#table.delete(this.#traceId);
      else this.#table.set(this.#traceId, this.older);
      return;
    }
    for (let entry = newest; entry !== undefined; entry = entry.older ?? undefined)
      if (entry.older === this) entry.older = this.older;
  }
}
