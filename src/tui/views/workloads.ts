import type { PartUsage, WorkloadView } from '../../protocol/api-types.js';
import type { Line, Size, Span } from '../frame.js';
import type { State } from '../store/state.js';
import { duration, megabytes } from '../text/numbers.js';
import type { Theme } from '../theme.js';
import { bar } from '../widgets/bar.js';
import { withPane } from '../widgets/panes.js';
import { type Column, table } from '../widgets/table.js';
import { configSpan, sidecarSpan } from './words.js';
import { workloadDetails } from './workload-details.js';

/** A certificate with less than this left is said to run out, ms. */
const SOON = 60_000;

/** Sidecars: do they obey, how long does their identity last, what do they cost. ACPU and AMEM are the app's own. */
export function workloadsView(state: State, size: Size, theme: Theme): readonly Line[] {
  const rows = state.mesh.workloads;
  const selected = state.cursor.workloads;
  const columns = columnsOf(state.now, theme);
  return withPane(
    size,
    (width) => table({ columns, rows, selected, width, height: size.rows, empty: 'no workload has joined yet' }, theme),
    (width) => details(rows[selected], state.now, width, theme),
    theme,
  );
}

function columnsOf(now: number, theme: Theme): readonly Column<WorkloadView>[] {
  const { span } = theme;
  const right = 'right';
  return [
    { title: 'WORKLOAD', width: 14, flex: 1, cell: ({ name }) => span(name, 'strong') },
    { title: 'SIDECAR', width: 7, cell: (workload) => sidecarSpan(workload, theme) },
    { title: 'APP', width: 6, cell: (workload) => appOf(workload, theme) },
    { title: 'CONFIG', width: 7, cell: (workload) => configSpan(workload, theme) },
    { title: 'CERT', width: 6, align: right, cell: (workload) => certificate(workload, now, theme) },
    { title: 'CPU', width: 5, align: right, cell: ({ usage }) => cpu(usage.sidecar, theme) },
    { title: 'MEM', width: 4, align: right, cell: ({ usage }) => memory(usage.sidecar, theme) },
    { title: 'ACPU', width: 5, align: right, drop: 2, cell: ({ usage }) => cpu(usage.app, theme) },
    { title: 'AMEM', width: 4, align: right, drop: 3, cell: ({ usage }) => memory(usage.app, theme) },
    { title: 'µs/REQ', width: 6, align: right, drop: 1, cell: ({ cpuMicrosPerRequest: us }) => micros(us, theme) },
    { title: 'DIED', width: 4, align: right, drop: 1, cell: (workload) => restarts(workload, theme) },
  ];
}

function appOf({ role, appReady }: WorkloadView, { span, glyphs }: Theme): Span {
  if (role === 'gateway') return span('none', 'dim');
  return appReady ? span(`${glyphs.ok} up`, 'good') : span(`${glyphs.off} wait`, 'warn');
}

function certificate({ role, certificate: held }: WorkloadView, now: number, { span }: Theme): Span {
  if (role === 'none') return span('-', 'dim');
  if (held === null) return span('none', 'warn');
  const left = held.notAfter - now;
  if (left <= 0) return span('EXPIRED', 'bad');
  return span(duration(left), left < SOON ? 'warn' : 'plain');
}

function cpu(usage: PartUsage | null, { span }: Theme): Span {
  return usage === null ? span('-', 'dim') : span(`${(usage.cpu * 100).toFixed(usage.cpu < 0.995 ? 1 : 0)}%`);
}

function memory(usage: PartUsage | null, { span }: Theme): Span {
  return usage === null ? span('-', 'dim') : span(megabytes(usage.memoryBytes));
}

function micros(perRequest: number | null, { span }: Theme): Span {
  return perRequest === null ? span('-', 'dim') : span(perRequest.toFixed(0));
}

function restarts({ restarts: { sidecar, app } }: WorkloadView, { span }: Theme): Span {
  const total = sidecar + app;
  return span(String(total), total > 0 ? 'warn' : 'dim');
}

function details(workload: WorkloadView | undefined, now: number, width: number, theme: Theme): readonly Line[] {
  if (workload === undefined) return [];
  const { usage, restarts: died } = workload;
  return [
    ...workloadDetails(workload, now, width, theme),
    [],
    ...usageLines('sidecar', usage.sidecar, theme),
    ...usageLines('app', usage.app, theme),
    [theme.span(`came back: sidecar ${died.sidecar} times, app ${died.app} times`, 'dim')],
  ];
}

/** One full bar is one core. */
function usageLines(part: string, usage: PartUsage | null, theme: Theme): readonly Line[] {
  if (usage === null) return [];
  const figures = `  ${(usage.cpu * 100).toFixed(1)}% CPU  ${megabytes(usage.memoryBytes)}`;
  return [[theme.span(part.padEnd(8)), ...bar(usage.cpu, 12, theme), theme.span(figures)]];
}
