import type { Notice } from '../../protocol/api-types.js';
import type { Line, Size, Style } from '../frame.js';
import type { State } from '../store/state.js';
import { timeOfDay } from '../text/numbers.js';
import type { Theme } from '../theme.js';
import { withPane } from '../widgets/panes.js';
import { type Column, table } from '../widgets/table.js';
import { wrap } from '../widgets/wrap.js';

const STYLES: Readonly<Record<Notice['level'], Style>> = { info: 'plain', warning: 'warn', error: 'bad' };

/** What happened to the sandbox itself, newest first. */
export function eventsView({ mesh, cursor }: State, size: Size, theme: Theme): readonly Line[] {
  const rows = [...mesh.notices].reverse();
  const selected = cursor.events;
  return withPane(
    size,
    (width) =>
      table(
        { columns: columnsOf(theme), rows, selected, width, height: size.rows, empty: 'nothing has happened' },
        theme,
      ),
    (width) => details(rows[selected], width, theme),
    theme,
  );
}

function columnsOf({ span, glyphs }: Theme): readonly Column<Notice>[] {
  const marks = { info: '-', warning: glyphs.warn, error: glyphs.bad };
  return [
    { title: 'TIME', width: 8, cell: ({ at }) => span(timeOfDay(at), 'dim') },
    { title: 'LEVEL', width: 9, cell: ({ level }) => span(`${marks[level] ?? ''} ${level}`, STYLES[level] ?? 'plain') },
    { title: 'WHAT', width: 20, flex: 1, cell: ({ text, level }) => span(text, STYLES[level] ?? 'plain') },
  ];
}

function details(notice: Notice | undefined, width: number, theme: Theme): readonly Line[] {
  if (notice === undefined) return [];
  return [[theme.span(new Date(notice.at).toISOString(), 'dim')], [], ...wrap(notice.text, width, theme)];
}
