import type { Frame, Line, Style } from '../frame.js';

/** Attributes that need no colour at all; what NO_COLOR leaves. */
const WITHOUT_COLOR: Readonly<Record<Style, string>> = {
  plain: '',
  dim: '',
  strong: '1',
  good: '',
  warn: '1',
  bad: '1',
  accent: '',
  title: '1',
  selected: '7',
};

/** The sixteen colours that every palette has, so that the user's own theme decides what they look like. */
const WITH_COLOR: Readonly<Record<Style, string>> = {
  ...WITHOUT_COLOR,
  dim: '90',
  good: '32',
  warn: '33',
  bad: '1;31',
  accent: '36',
  title: '1;36',
};

/** The frame as text with colour sequences. Safe: spans hold escaped text, so every ESC in it was written here. */
export function withSgr(frame: Frame, color: boolean): string {
  const styles = color ? WITH_COLOR : WITHOUT_COLOR;
  return frame.lines.map((line) => lineWithSgr(line, styles)).join('\n');
}

function lineWithSgr(line: Line, styles: Readonly<Record<Style, string>>): string {
  return line.map(({ text, style }) => (styles[style] === '' ? text : `\x1b[${styles[style]}m${text}\x1b[0m`)).join('');
}
