import type { ExplainedStep, Explanation } from '../../model/explanation.js';
import type { Trace } from '../../protocol/api-types.js';
import type { Line, Size, Style } from '../frame.js';
import type { Detail } from '../store/state.js';
import type { Theme } from '../theme.js';
import { paneWidths, withPane } from '../widgets/panes.js';
import { wrap } from '../widgets/wrap.js';
import { hopLines } from './hop-lines.js';

/** The title and an empty line. */
export const DETAIL_HEAD_ROWS = 2;

/** One request: every hop and try, what was decided and why, and whose fault a failure was. */
export function detailView(detail: Detail, size: Size, theme: Theme): readonly Line[] {
  const title: Line = [theme.span(` request ${detail.requestId}`, 'title')];
  const body = { cols: size.cols, rows: Math.max(0, size.rows - DETAIL_HEAD_ROWS) };
  return [title, [], ...content(detail, body, theme)];
}

function content({ trace, explanation, error, scroll }: Detail, size: Size, theme: Theme): readonly Line[] {
  if (error !== null) return wrap(` ${theme.glyphs.bad} ${error}`, size.cols, theme, 'bad', 3);
  if (trace === null || explanation === null) return [[theme.span(' asking the sidecars...', 'dim')]];
  const parts = detailParts(trace, explanation, size.cols, theme).map((lines) => scrolled(lines, scroll, size.rows));
  const [story = [], hops] = parts;
  if (hops === undefined) return story;
  return withPane(
    size,
    () => hops,
    () => story,
    theme,
  );
}

/** The story and the hops, one below the other or, where there is room, in two columns: unscrolled. */
export function detailParts(
  trace: Trace,
  explanation: Explanation,
  cols: number,
  theme: Theme,
): readonly (readonly Line[])[] {
  const { list, pane } = paneWidths(cols);
  if (pane !== null) return [storyLines(explanation, pane, theme), hopLines(trace.exchanges, list - 1, theme)];
  const width = cols - 1;
  const hops = hopLines(trace.exchanges, width, theme);
  const lines = [...storyLines(explanation, width, theme), [], [theme.span('Hops', 'title')], ...hops];
  return [lines.map((line) => [theme.span(' '), ...line])];
}

/** Never past the end: the last page stays full. */
function scrolled(lines: readonly Line[], scroll: number, height: number): readonly Line[] {
  const from = Math.max(0, Math.min(scroll, lines.length - height));
  return lines.slice(from, from + Math.max(0, height));
}

function storyLines({ summary, steps, blame, verdict }: Explanation, width: number, theme: Theme): readonly Line[] {
  const fault =
    blame === null
      ? [[theme.span(`${theme.glyphs.ok} ended well`, 'good')]]
      : wrap(`${theme.glyphs.bad} whose fault: ${blame}. ${verdict}`, width, theme, 'bad', 2);
  return [
    ...wrap(summary, width, theme, 'strong'),
    ...fault,
    [],
    [theme.span('What happened', 'title')],
    ...steps.flatMap((step) => stepLines(step, width, theme)),
  ];
}

const OUTCOME: Readonly<Record<ExplainedStep['outcome'], Style>> = {
  ok: 'plain',
  warning: 'warn',
  failed: 'bad',
  skipped: 'dim',
};

function stepLines({ depth, workload, text, outcome }: ExplainedStep, width: number, theme: Theme): readonly Line[] {
  const { ok, warn, bad } = theme.glyphs;
  const mark = { ok, warning: warn, failed: bad, skipped: '·' }[outcome];
  const indent = Math.min(depth * 2, Math.max(0, width - 40));
  // Most sentences begin with who reports them.
  const said = text.startsWith(workload) ? text : `${workload}: ${text}`;
  const lines = wrap(`${mark} ${said}`, width - indent, theme, OUTCOME[outcome], 2);
  return lines.map((line) => [theme.span(' '.repeat(indent)), ...line]);
}
