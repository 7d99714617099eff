import { type Line, type Span, widthOf } from '../frame.js';
import type { Theme } from '../theme.js';
import { type Align, fitTo, selectedLine, truncateMiddle } from './fit.js';
import { viewport } from './viewport.js';

export interface Column<Row> {
  readonly title: string;
  readonly width: number;
  /** Takes this share of the room that is left over. */
  readonly flex?: number;
  readonly align?: Align;
  /** Long values lose their middle, not their end. */
  readonly cutMiddle?: boolean;
  /** Left out on narrow screens, highest number first; 0 or absent = never. */
  readonly drop?: number;
  cell(row: Row): Span | Line;
}

export interface TableInput<Row> {
  readonly columns: readonly Column<Row>[];
  readonly rows: readonly Row[];
  readonly selected: number;
  readonly width: number;
  readonly height: number;
  /** Said in place of rows: an empty list explains what to do. */
  readonly empty: string;
}

const MARKER = 2;
/** Less than this of a name tells nothing. */
const NARROWEST = 8;

/** Head line and the visible rows, at most `height` lines. */
export function table<Row>(input: TableInput<Row>, theme: Theme): readonly Line[] {
  const { rows, selected, width, height } = input;
  const columns = layout(input.columns, width - MARKER);
  const head = line(columns, theme, (column) => [theme.span(column.title, 'dim')]);
  if (rows.length === 0) return [[theme.span('  '), ...head], [theme.span(`  ${input.empty}`, 'dim')]];
  const { from, to } = viewport(rows.length, selected, height - 1);
  const body = rows.slice(from, to).map((row, index) => {
    const cells = line(columns, theme, (column) => column.cell(row));
    if (from + index !== selected) return [theme.span('  '), ...cells];
    return selectedLine([theme.span(`${theme.glyphs.cursor} `), ...cells], width, theme);
  });
  return [[theme.span('  '), ...head], ...body].slice(0, Math.max(0, height));
}

interface Placed<Row> extends Column<Row> {
  readonly cells: number;
}

function layout<Row>(columns: readonly Column<Row>[], width: number): readonly Placed<Row>[] {
  let kept = [...columns];
  const needed = (): number => kept.reduce((sum, column) => sum + column.width + 1, -1);
  while (needed() > width) {
    const worst = Math.max(...kept.map(({ drop }) => drop ?? 0));
    if (worst <= 0) break;
    kept = kept.filter(({ drop }) => (drop ?? 0) < worst);
  }
  // Negative where there is still too little room: then the flexible columns give way, and states stay whole.
  const spare = width - needed();
  const shares = kept.reduce((sum, { flex }) => sum + (flex ?? 0), 0);
  return kept.map((column) => {
    const share = shares === 0 ? 0 : Math.floor((spare * (column.flex ?? 0)) / shares);
    return { ...column, cells: Math.max(Math.min(column.width, NARROWEST), column.width + share) };
  });
}

function line<Row>(columns: readonly Placed<Row>[], theme: Theme, cellOf: (column: Placed<Row>) => Span | Line): Line {
  return columns.flatMap((column, index) => {
    const cell = cellOf(column);
    const spans = 'text' in cell ? [cell] : cell;
    const only = spans.length === 1 ? spans[0] : undefined;
    const cut =
      column.cutMiddle && only !== undefined && widthOf(spans) > column.cells
        ? truncateMiddle(only, column.cells, theme)
        : spans;
    const fitted = fitTo(cut, column.cells, theme, column.align);
    return index === 0 ? fitted : [theme.span(' '), ...fitted];
  });
}
