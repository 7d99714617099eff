import type { FaultView, WorkloadView } from '../../protocol/api-types.js';
import type { Line, Size, Span } from '../frame.js';
import type { State } from '../store/state.js';
import { type TopologyRow, topologyRows } from '../store/topology.js';
import { millis, percent, rate } from '../text/numbers.js';
import type { Theme } from '../theme.js';
import { withPane } from '../widgets/panes.js';
import { type Column, table } from '../widgets/table.js';
import { faultsAt } from './fault-words.js';
import { nodeDetails } from './topology-details.js';
import { edgeSecurity, shareStyle } from './words.js';

/** Who calls whom, how well, and whether it is encrypted. */
export function topologyView(state: State, size: Size, theme: Theme): readonly Line[] {
  const rows = topologyRows(state.mesh);
  const selected = state.cursor.topology;
  const { status } = state.mesh;
  return withPane(
    size,
    (width) =>
      table(
        {
          columns: columnsOf(state, theme),
          rows,
          selected,
          width,
          height: size.rows,
          empty: status === null ? 'asking the control plane' : 'no workload has joined yet',
        },
        theme,
      ),
    (width) => nodeDetails(state, rows[selected], width, theme),
    theme,
  );
}

function columnsOf({ mesh }: State, theme: Theme): readonly Column<TopologyRow>[] {
  const { span } = theme;
  const dash = span('-', 'dim');
  const figure = (
    title: string,
    width: number,
    of: (edge: NonNullable<TopologyRow['edge']>) => Span,
  ): Column<TopologyRow> => ({
    title,
    width,
    align: 'right',
    cell: ({ edge }) => (edge === null ? span('') : of(edge)),
  });
  return [
    { title: 'SERVICE', width: 25, flex: 1, cell: (row) => nameOf(row, mesh.faults, theme) },
    figure('RPS', 5, ({ rps }) => span(rate(rps))),
    figure('OK', 5, ({ successRate }) => span(percent(successRate), shareStyle(successRate))),
    {
      // Without retries the callee sees what the caller sees; a second number would say nothing.
      ...figure('ACTUAL', 6, ({ attemptSuccessRate: share, retriesPerSecond }) =>
        retriesPerSecond > 0 ? span(percent(share), shareStyle(share)) : dash,
      ),
      drop: 2,
    },
    figure('P50', 6, ({ p50Ms, rps }) => (rps > 0 ? span(millis(p50Ms)) : dash)),
    { ...figure('P99', 6, ({ p99Ms, rps }) => (rps > 0 ? span(millis(p99Ms)) : dash)), drop: 1 },
    figure('RETRY', 5, ({ retriesPerSecond: retries }) =>
      retries > 0 ? span(`${theme.glyphs.retry} ${rate(retries)}`, 'warn') : dash,
    ),
    { title: 'LOCK', width: 8, cell: ({ edge }) => (edge === null ? span('') : edgeSecurity(edge, theme)) },
  ];
}

function nameOf(row: TopologyRow, faults: readonly FaultView[], theme: Theme): Line {
  const { span } = theme;
  return [
    span(trunkOf(row.trunk, theme), 'dim'),
    ...badges(row, faults, theme),
    span(row.label, row.idle ? 'dim' : 'strong'),
  ];
}

function trunkOf(trunk: readonly boolean[], { glyphs }: Theme): string {
  return trunk
    .map((more, level) => {
      const last = level === trunk.length - 1;
      if (last) return more ? glyphs.branch : glyphs.lastBranch;
      return more ? glyphs.trunk : '  ';
    })
    .join('');
}

/** Before the name, because names are what a narrow screen cuts. */
function badges(row: TopologyRow, faults: readonly FaultView[], theme: Theme): Line {
  const { span, glyphs } = theme;
  const spans: Span[] = [];
  const { workload } = row;
  if (workload !== null && workload.sidecar !== 'connected') spans.push(sidecarBadge(workload, theme));
  if (workload !== null && ['connected', 'none'].includes(workload.sidecar) && !workload.appReady)
    spans.push(span(`${glyphs.off}starting `, 'warn'));
  if (faultsAt(row, faults).some(({ enabled }) => enabled)) spans.push(span('FAULT ', 'bad'));
  return spans;
}

function sidecarBadge({ sidecar }: WorkloadView, { span, glyphs }: Theme): Span {
  if (sidecar === 'none') return span('no sidecar ', 'dim');
  return sidecar === 'waiting' ? span(`${glyphs.off}joining `, 'warn') : span(`${glyphs.bad}lost `, 'bad');
}
