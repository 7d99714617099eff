import type { Line, Size } from '../frame.js';
import { FAULT_PRESETS, faultTargets } from '../store/fault-menu.js';
import type { Dialog, State } from '../store/state.js';
import type { Theme } from '../theme.js';
import { centredBox } from '../widgets/box.js';
import { viewport } from '../widgets/viewport.js';
import { helpView } from './help.js';

/** A dialog takes the whole body: what is asked cannot be overlooked. */
export function dialogView(state: State, dialog: Dialog, size: Size, theme: Theme): readonly Line[] {
  switch (dialog.kind) {
    case 'help':
      return helpView(dialog.scroll, size, theme);
    case 'quit':
      return centredBox(`Leave ${state.sandboxName}?`, quitLines(theme), size, theme);
    case 'fault-target':
      return centredBox('Break what?', targetLines(state, dialog.cursor, size, theme), size, theme);
    case 'fault-preset':
      return centredBox(theme.span(`Break ${dialog.target} how?`).text, presetLines(dialog.cursor, theme), size, theme);
  }
}

function quitLines({ span }: Theme): readonly Line[] {
  return [
    [span('k', 'accent'), span('    keep it running; come back with: mesh-sandbox ui')],
    [span('d', 'accent'), span('    bring it down')],
    [span('esc', 'accent'), span('  stay')],
  ];
}

function targetLines(state: State, cursor: number, size: Size, theme: Theme): readonly Line[] {
  const targets = faultTargets(state);
  if (targets.length === 0) return [[theme.span('no workload has joined yet', 'dim')]];
  const { from, to } = viewport(targets.length, cursor, size.rows - 2);
  const services = new Set(state.mesh.workloads.map(({ app }) => app));
  return targets.slice(from, to).map((target, index) => {
    const what = services.has(target) ? 'service' : '  one version of it';
    return menuLine(target.padEnd(24), what, from + index === cursor, theme);
  });
}

function presetLines(cursor: number, theme: Theme): readonly Line[] {
  return FAULT_PRESETS.map(({ label, lesson }, index) =>
    menuLine(`${index + 1}  ${label.padEnd(20)}`, lesson, index === cursor, theme),
  );
}

function menuLine(text: string, note: string, chosen: boolean, { span, glyphs }: Theme): Line {
  if (chosen) return [span(`${glyphs.cursor} ${text} ${note} `, 'selected')];
  return [span(`  ${text} `), span(`${note} `, 'dim')];
}
