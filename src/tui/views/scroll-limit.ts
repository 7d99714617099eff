import { CHROME_ROWS } from '../store/cursor.js';
import type { State } from '../store/state.js';
import type { Theme } from '../theme.js';
import { DETAIL_HEAD_ROWS, detailParts } from './detail.js';
import { helpLines } from './help.js';

/** How far the text that is open can be scrolled at the present size. */
export function scrollLimit({ dialog, detail, size }: State, theme: Theme): number {
  const rows = size.rows - CHROME_ROWS;
  if (dialog?.kind === 'help') return Math.max(0, helpLines(theme).length - rows);
  if (detail === null || detail.trace === null || detail.explanation === null) return 0;
  const parts = detailParts(detail.trace, detail.explanation, size.cols, theme);
  return Math.max(0, ...parts.map((lines) => lines.length - (rows - DETAIL_HEAD_ROWS)));
}
