import type { Line, Size } from '../frame.js';
import type { Theme } from '../theme.js';
import { fitTo, truncate } from './fit.js';

/** From this width on a list has its details beside it. */
const WIDE = 120;
const LIST_AT_LEAST = 78;

/** Room of the list and of the pane beside it; null = no pane. */
export function paneWidths(cols: number): { readonly list: number; readonly pane: number | null } {
  if (cols < WIDE) return { list: cols, pane: null };
  const list = Math.max(LIST_AT_LEAST, Math.floor(cols * 0.6));
  return { list, pane: cols - list - 3 };
}

/** A list, and where there is room the details of its chosen row to the right of a rule. */
export function withPane(
  size: Size,
  list: (width: number) => readonly Line[],
  pane: (width: number) => readonly Line[],
  theme: Theme,
): readonly Line[] {
  const widths = paneWidths(size.cols);
  const left = list(widths.list);
  if (widths.pane === null) return left;
  const right = pane(widths.pane);
  const rule = theme.span(` ${theme.glyphs.vertical} `, 'dim');
  return Array.from({ length: size.rows }, (_, row) => [
    ...fitTo(left[row] ?? [], widths.list, theme),
    rule,
    ...truncate(right[row] ?? [], widths.pane ?? 0, theme),
  ]);
}
