import type { Exchange } from '../../protocol/api-types.js';

export interface HopRow {
  readonly depth: number;
  readonly exchange: Exchange;
}

/** Hops of one request in the order of the calls, each below its caller; hops without a known caller stand at the top. */
export function hopTree(exchanges: readonly Exchange[]): readonly HopRow[] {
  const hops = [...exchanges].sort((a, b) => a.startedAt - b.startedAt);
  const parents = new Set(hops.map(({ spanId }) => spanId));
  const rows: HopRow[] = [];
  const placed = new Set<string>();
  const place = (exchange: Exchange, depth: number): void => {
    if (placed.has(exchange.id)) return;
    placed.add(exchange.id);
    rows.push({ depth, exchange });
    for (const hop of hops) if (hop.parentSpanId === exchange.spanId) place(hop, depth + 1);
  };
  for (const hop of hops) if (!parents.has(hop.parentSpanId)) place(hop, 0);
  // Records whose span ids form a ring have no top; they are shown all the same.
  for (const hop of hops) place(hop, 0);
  return rows;
}
