import { describe, expect, it } from 'vitest';
import { plainText } from '../../src/tui/frame.js';
import { actionOf } from '../../src/tui/keymap/dispatch.js';
import { bindingsOf, KEYMAP, type Mode, modeOf } from '../../src/tui/keymap/keymap.js';
import { themeOf } from '../../src/tui/theme.js';
import { helpLines } from '../../src/tui/views/help.js';
import { view } from '../../src/tui/views/view.js';
import { allScreens, pressed, sampleState } from './support/states.js';

const SIZE = { cols: 80, rows: 24 };
const MODES = [...new Set(KEYMAP.flatMap(({ modes }) => modes))];
const states = allScreens(SIZE);

describe('key table', () => {
  it.each(MODES)('gives each key one meaning in %s', (mode) => {
    const keys = bindingsOf(mode).flatMap((binding) => binding.keys);
    expect(keys).toHaveLength(new Set(keys).size);
  });

  it.each(MODES)('has a way out of %s', (mode) => {
    const commands = bindingsOf(mode).map(({ command }) => command);
    expect(commands).toContain('back');
    expect(bindingsOf(mode).some(({ keys }) => keys.includes('C-c'))).toBe(true);
  });

  it('has every key that is promised', () => {
    const promised = '? 1 2 3 4 5 tab up down j k pageup pagedown f x t m + - q C-c C-l'.split(' ');
    for (const key of promised) expect(actionOf(sampleState(), key), key).not.toBeNull();
    for (const key of ['enter', 'p', '/', 'h']) expect(actionOf(pressed(sampleState(), '2'), key), key).not.toBeNull();
    for (const key of ['space', 'd', 'a']) expect(actionOf(pressed(sampleState(), '3'), key), key).not.toBeNull();
  });

  it('explains every key on the help screen', () => {
    const help = helpLines(themeOf(false)).map((line) => line.map(({ text }) => text).join(''));
    for (const { shown, help: sentence } of KEYMAP) {
      expect(
        help.some((line) => line.includes(shown) && line.includes(sentence)),
        `${shown}: ${sentence}`,
      ).toBe(true);
    }
  });

  it('shows on the bottom line only keys that mean something there', () => {
    for (const [name, state] of Object.entries(states)) {
      const bottom =
        plainText(view(state, SIZE, themeOf(false)))
          .split('\n')
          .at(-1) ?? '';
      const allowed = bindingsOf(modeOf(state)).filter(({ short }) => short !== '');
      const foreign = KEYMAP.filter(({ short }) => short !== '' && !allowed.some((binding) => binding.short === short));
      for (const { shown, short } of foreign) expect(bottom, name).not.toContain(` ${shown} ${short} `);
      expect(bottom.trim(), name).not.toBe('');
    }
  });

  it('reaches every mode by keys', () => {
    const reached = new Set<Mode>(Object.values(states).map(modeOf));
    expect([...reached].sort()).toEqual([...MODES].sort());
  });

  it('takes letters as text only while the filter is typed', () => {
    const typing = pressed(sampleState(), '2', '/');
    expect(actionOf(typing, 'q')).toEqual({ type: 'typed', text: 'q' });
    expect(actionOf(typing, 'space')).toEqual({ type: 'typed', text: ' ' });
    expect(actionOf(typing, 'f5')).toBeNull();
    expect(actionOf(sampleState(), 'z')).toBeNull();
  });
});
