import type { Span, Style } from './frame.js';
import { safe } from './text/safe-text.js';

/** What the screens draw with besides letters. */
export interface Glyphs {
  readonly ok: string;
  readonly bad: string;
  readonly warn: string;
  readonly retry: string;
  readonly on: string;
  readonly off: string;
  readonly cursor: string;
  readonly arrow: string;
  readonly ellipsis: string;
  readonly vertical: string;
  readonly horizontal: string;
  readonly branch: string;
  readonly lastBranch: string;
  readonly trunk: string;
  readonly corners: readonly [string, string, string, string];
  readonly full: string;
  readonly empty: string;
}

export interface Theme {
  readonly ascii: boolean;
  readonly glyphs: Glyphs;
  /** The only maker of spans: whatever the text is, it cannot steer the terminal. */
  span(text: string, style?: Style): Span;
}

const UNICODE: Glyphs = {
  ok: '✓',
  bad: '✗',
  warn: '!',
  retry: '↻',
  on: '●',
  off: '○',
  cursor: '▸',
  arrow: '→',
  ellipsis: '…',
  vertical: '│',
  horizontal: '─',
  branch: '├ ',
  lastBranch: '└ ',
  trunk: '│ ',
  corners: ['┌', '┐', '└', '┘'],
  full: '█',
  empty: '░',
};

const ASCII: Glyphs = {
  ok: '+',
  bad: 'x',
  warn: '!',
  retry: '~',
  on: '*',
  off: 'o',
  cursor: '>',
  arrow: '->',
  ellipsis: '~',
  vertical: '|',
  horizontal: '-',
  branch: '|-',
  lastBranch: '`-',
  trunk: '| ',
  corners: ['+', '+', '+', '+'],
  full: '#',
  empty: '.',
};

export function themeOf(ascii: boolean): Theme {
  return {
    ascii,
    glyphs: ascii ? ASCII : UNICODE,
    span: (text, style = 'plain') => ({ text: safe(text, ascii), style }),
  };
}
