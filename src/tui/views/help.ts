import type { Line, Size } from '../frame.js';
import { type Binding, KEYMAP, type Mode } from '../keymap/keymap.js';
import type { Theme } from '../theme.js';

const SECTIONS: readonly { readonly title: string; readonly mode: Mode }[] = [
  { title: 'Requests', mode: 'requests' },
  { title: 'Filter', mode: 'filter' },
  { title: 'Faults', mode: 'faults' },
  { title: 'Fault menu', mode: 'fault-preset' },
  { title: 'Leaving', mode: 'quit' },
];

/** Every key there is, from the table that also obeys them. */
export function helpView(scroll: number, size: Size, theme: Theme): readonly Line[] {
  const lines = helpLines(theme);
  const from = Math.max(0, Math.min(scroll, lines.length - size.rows));
  return lines.slice(from, from + Math.max(0, size.rows));
}

export function helpLines(theme: Theme): readonly Line[] {
  const everywhere = KEYMAP.filter(isShared);
  const blocks = [
    block('Everywhere', everywhere, theme),
    ...SECTIONS.map(({ title, mode }) => {
      const own = KEYMAP.filter((binding) => binding.modes.includes(mode) && !everywhere.includes(binding));
      return block(title, own, theme);
    }),
  ];
  return blocks.flatMap((lines) => [...lines, []]);
}

function isShared({ modes }: Binding): boolean {
  return modes.includes('topology');
}

function block(title: string, bindings: readonly Binding[], { span }: Theme): readonly Line[] {
  return [
    [span(` ${title}`, 'title')],
    ...bindings.map(({ shown, help }) => [span(`   ${shown.padEnd(12)}`, 'accent'), span(help)]),
  ];
}
