import { describe, expect, it } from 'vitest';
import { plainText } from '../../src/tui/frame.js';
import { themeOf } from '../../src/tui/theme.js';
import { view } from '../../src/tui/views/view.js';
import { allScreens } from './support/states.js';

// Times of day are local on screen.
process.env['TZ'] = 'UTC';

const SIZES = [
  { cols: 80, rows: 24 },
  { cols: 120, rows: 40 },
  { cols: 200, rows: 50 },
];

describe.each(SIZES)('screens at $cols x $rows', (size) => {
  it.each(Object.entries(allScreens(size)))('%s', async (name, state) => {
    for (const ascii of [false, true]) {
      const file = `__golden__/${name}-${size.cols}x${size.rows}${ascii ? '-ascii' : ''}.txt`;
      const text = plainText(view(state, size, themeOf(ascii)));
      // Trailing blanks say nothing and editors remove them.
      await expect(`${text.replace(/ +$/gm, '')}\n`).toMatchFileSnapshot(file);
      if (ascii) expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    }
  });
});
