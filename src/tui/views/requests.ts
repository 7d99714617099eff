import type { Exchange } from '../../protocol/api-types.js';
import type { Line, Size } from '../frame.js';
import type { State } from '../store/state.js';
import { selectedIndex, visibleExchanges } from '../store/tap.js';
import { millis, timeOfDay } from '../text/numbers.js';
import type { Theme } from '../theme.js';
import { truncate } from '../widgets/fit.js';
import { withPane } from '../widgets/panes.js';
import { type Column, table } from '../widgets/table.js';
import { hopLines } from './hop-lines.js';
import { attemptDots, securityOf, statusSpan } from './words.js';

/** Requests as they happen, newest first. */
export function requestsView(state: State, size: Size, theme: Theme): readonly Line[] {
  const rows = visibleExchanges(state.tap);
  const selected = selectedIndex(state.tap, rows);
  const columns = state.tap.allHops ? hopColumns(theme) : entryColumns(theme);
  const list = (width: number): readonly Line[] => [
    truncate(captionOf(state, rows.length, theme), width, theme),
    ...table({ columns, rows, selected, width, height: size.rows - 1, empty: emptyText(state) }, theme),
  ];
  return withPane(size, list, (width) => chosen(state, rows[selected], width, theme), theme);
}

function captionOf({ tap }: State, shown: number, { span, glyphs }: Theme): Line {
  const filter = tap.typing ?? tap.filter;
  const missed = tap.frozen === null ? 0 : tap.exchanges.length - tap.frozen.length;
  return [
    span(` ${tap.allHops ? 'all hops' : 'one row per request'}, ${shown} shown`, 'dim'),
    tap.frozen === null ? span('') : span(`   ${glyphs.warn} PAUSED${missed > 0 ? `, ${missed} newer` : ''}`, 'warn'),
    filter === '' ? span('') : span(`   filter: ${filter}`, 'accent'),
    tap.dropped > 0 ? span(`   ${tap.dropped} too many to show`, 'dim') : span(''),
  ];
}

function emptyText({ tap, mesh }: State): string {
  if (tap.filter !== '' || tap.typing) return 'nothing matches the filter; esc drops it';
  return `no requests yet: press + for load, or curl ${mesh.status?.gatewayUrl ?? 'the gateway'}`;
}

function entryColumns(theme: Theme): readonly Column<Exchange>[] {
  const { span } = theme;
  return [
    { title: 'TIME', width: 8, drop: 2, cell: ({ startedAt }) => span(timeOfDay(startedAt), 'dim') },
    { title: 'STATUS', width: 6, cell: (exchange) => statusSpan(exchange, theme) },
    { title: 'TRIES', width: 6, cell: ({ attempts }) => attemptDots(attempts, theme) },
    { title: 'REQUEST', width: 18, flex: 3, cutMiddle: true, cell: (exchange) => span(requestOf(exchange)) },
    { title: 'SERVED BY', width: 14, flex: 1, cell: (exchange) => span(servedBy(exchange)) },
    { title: 'TOOK', width: 6, align: 'right', cell: ({ durationMs }) => span(millis(durationMs)) },
    { title: 'LOCK', width: 7, cell: ({ security }) => securityOf(security.mode, theme) },
    { title: 'FLAGS', width: 6, drop: 1, cell: ({ flags }) => span(flags.join(',') || '-', 'dim') },
  ];
}

/** Who served it gives way to who saw it, after the flags. */
const IN_HOPS: Readonly<Record<string, Partial<Column<Exchange>>>> = {
  REQUEST: { width: 16 },
  'SERVED BY': { drop: 1 },
  FLAGS: { drop: 2 },
};

/** All hops: who saw it comes first. */
function hopColumns(theme: Theme): readonly Column<Exchange>[] {
  const { arrow } = theme.glyphs;
  const where: Column<Exchange> = {
    title: 'SEEN BY',
    width: 16,
    flex: 1,
    cell: ({ reporter: { workload, direction } }) =>
      theme.span(direction === 'inbound' ? `${arrow} ${workload}` : `${workload} ${arrow}`),
  };
  const rest = entryColumns(theme).filter(({ title }) => title !== 'TIME');
  return [where, ...rest.map((column) => ({ ...column, ...IN_HOPS[column.title] }))];
}

function requestOf({ kind, request, destination }: Exchange): string {
  return kind === 'tcp' ? `TCP to ${destination.service}` : `${request.method} ${request.path}`;
}

function servedBy({ destination }: Exchange): string {
  return destination.workload || destination.service || 'nobody';
}

/** What is known here of the chosen request; the whole story is one key away. */
function chosen({ tap }: State, exchange: Exchange | undefined, width: number, theme: Theme): readonly Line[] {
  if (exchange === undefined) return [];
  const hops =
    exchange.requestId === '' ? [exchange] : tap.exchanges.filter((it) => it.requestId === exchange.requestId);
  return [
    [theme.span(exchange.requestId || exchange.id, 'dim')],
    ...hopLines(hops, width, theme),
    [],
    [theme.span('enter: what happened and why', 'accent')],
  ];
}
