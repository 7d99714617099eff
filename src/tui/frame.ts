import type { SafeText } from './text/safe-text.js';

/** Meanings, not colours: the driver turns them into what the terminal can do. */
export type Style = 'plain' | 'dim' | 'strong' | 'good' | 'warn' | 'bad' | 'accent' | 'title' | 'selected';

export interface Span {
  readonly text: SafeText;
  readonly style: Style;
}

export type Line = readonly Span[];

export interface Size {
  readonly cols: number;
  readonly rows: number;
}

/** One full screen: exactly `rows` lines, none wider than `cols`. */
export interface Frame {
  readonly size: Size;
  readonly lines: readonly Line[];
}

/** The only maker of frames: cuts what is too long and fills what is missing, so that no view can break the screen. */
export function frameOf(lines: readonly Line[], size: Size): Frame {
  const rows = Math.max(0, size.rows);
  return { size, lines: Array.from({ length: rows }, (_, row) => clip(lines[row] ?? [], size.cols)) };
}

export function widthOf(line: Line): number {
  return line.reduce((sum, { text }) => sum + text.length, 0);
}

/** The line's first `width` cells. */
export function clip(line: Line, width: number): Line {
  const kept: Span[] = [];
  let room = Math.max(0, width);
  for (const span of line) {
    if (room === 0) break;
    const text = span.text.slice(0, room) as SafeText;
    if (text.length > 0) kept.push({ ...span, text });
    room -= text.length;
  }
  return kept;
}

/** The frame's characters without styles, for tests and screenshots. */
export function plainText(frame: Frame): string {
  return frame.lines.map((line) => line.map(({ text }) => text).join('')).join('\n');
}
