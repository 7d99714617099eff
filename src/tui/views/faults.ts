import { describeFaultAction } from '../../model/fault.js';
import type { FaultView } from '../../protocol/api-types.js';
import type { Line, Size } from '../frame.js';
import type { State } from '../store/state.js';
import type { Theme } from '../theme.js';
import { withPane } from '../widgets/panes.js';
import { type Column, table } from '../widgets/table.js';
import { wrap } from '../widgets/wrap.js';
import { faultSentence } from './fault-words.js';

const EMPTY = 'no faults: press a to break something';

/** What is broken on purpose, and how often it struck. */
export function faultsView({ mesh, cursor }: State, size: Size, theme: Theme): readonly Line[] {
  const rows = mesh.faults;
  const selected = cursor.faults;
  return withPane(
    size,
    (width) => table({ columns: columnsOf(theme), rows, selected, width, height: size.rows, empty: EMPTY }, theme),
    (width) => details(rows[selected], width, theme),
    theme,
  );
}

function columnsOf(theme: Theme): readonly Column<FaultView>[] {
  const { span, glyphs } = theme;
  return [
    { title: 'STATE', width: 9, cell: stateOf },
    { title: 'NAME', width: 8, drop: 1, cell: ({ name }) => span(name) },
    { title: 'AT', width: 12, flex: 1, cell: ({ to }) => span(to, 'strong') },
    { title: 'WHAT', width: 16, flex: 2, cell: ({ action }) => span(describeFaultAction(action)) },
    { title: 'FOR', width: 9, cell: ({ percent, first }) => span(first === null ? `${percent}%` : `first ${first}`) },
    { title: 'FROM', width: 8, drop: 2, cell: ({ match }) => span(match.from ?? 'anybody', 'dim') },
    { title: 'HITS', width: 6, align: 'right', cell: ({ hits }) => span(String(hits)) },
  ];

  function stateOf({ enabled, active }: FaultView): Line {
    if (!active) return [span(`${glyphs.retry} pending`, 'warn')];
    return [enabled ? span(`${glyphs.on} on`, 'bad') : span(`${glyphs.off} off`, 'dim')];
  }
}

function details(fault: FaultView | undefined, width: number, theme: Theme): readonly Line[] {
  if (fault === undefined) return [];
  const obeyed = fault.active
    ? 'every sidecar concerned obeys this state of it'
    : 'some sidecar does not obey this state of it yet';
  return [
    [theme.span(fault.name, 'title')],
    [],
    ...wrap(faultSentence(fault), width, theme),
    [],
    ...wrap(obeyed, width, theme, fault.active ? 'good' : 'warn'),
    ...wrap(
      'It acts at the sidecar of the callee: retries of callers meet it like a sick service.',
      width,
      theme,
      'dim',
    ),
  ];
}
