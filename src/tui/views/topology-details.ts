import type { EdgeStats } from '../../protocol/api-types.js';
import type { Line } from '../frame.js';
import type { State } from '../store/state.js';
import type { TopologyRow } from '../store/topology.js';
import { millis, percent, rate } from '../text/numbers.js';
import type { Theme } from '../theme.js';
import { wrap } from '../widgets/wrap.js';
import { faultSentence, faultsAt } from './fault-words.js';
import { workloadDetails } from './workload-details.js';

/** The chosen node in full words, beside the tree. */
export function nodeDetails(state: State, row: TopologyRow | undefined, width: number, theme: Theme): readonly Line[] {
  if (row === undefined) return [];
  const faults = faultsAt(row, state.mesh.faults);
  return [
    [theme.span(row.label, 'title')],
    [],
    ...(row.edge === null ? [] : edgeDetails(row.edge, width, theme)),
    ...faults.flatMap((fault) => wrap(`FAULT ${faultSentence(fault)}`, width, theme, 'bad', 2)),
    ...(row.workload === null ? [] : [[], ...workloadDetails(row.workload, state.now, width, theme)]),
  ];
}

function edgeDetails(edge: EdgeStats, width: number, theme: Theme): readonly Line[] {
  const { retriesPerSecond: retries } = edge;
  const facts = [
    `${edge.source} ${theme.glyphs.arrow} ${edge.service} (${edge.protocol})`,
    `effective ${rate(edge.rps)}/s, ${percent(edge.successRate)} ok`,
    `actual    ${rate(edge.attemptsPerSecond)}/s, ${percent(edge.attemptSuccessRate)} ok`,
    retries > 0 ? `retries   ${rate(retries)}/s hide failures from the caller` : 'retries   none',
    `latency   p50 ${millis(edge.p50Ms)}  p95 ${millis(edge.p95Ms)}  p99 ${millis(edge.p99Ms)}`,
    `mTLS      ${percent(edge.mtlsShare)} of requests`,
  ];
  return facts.flatMap((fact) => wrap(fact, width, theme, 'plain', 2));
}
