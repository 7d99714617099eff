import { clip, type Line, type Span, widthOf } from '../frame.js';
import type { Theme } from '../theme.js';

export type Align = 'left' | 'right';

/** The line in exactly `width` cells: cut with an ellipsis or filled with spaces. */
export function fitTo(line: Line, width: number, theme: Theme, align: Align = 'left'): Line {
  const wide = widthOf(line);
  if (wide > width) return truncate(line, width, theme);
  const gap = theme.span(' '.repeat(width - wide), line.at(-1)?.style === 'selected' ? 'selected' : 'plain');
  return align === 'right' ? [gap, ...line] : [...line, gap];
}

/** Cuts at the end; one cell of ellipsis says that something is missing. */
export function truncate(line: Line, width: number, theme: Theme): Line {
  if (widthOf(line) <= width) return line;
  if (width <= 0) return [];
  return [...clip(line, width - 1), theme.span(theme.glyphs.ellipsis, 'dim')];
}

/** Cuts in the middle: a long path keeps its beginning and its telling end. */
export function truncateMiddle(span: Span, width: number, theme: Theme): Line {
  if (span.text.length <= width) return [span];
  if (width < 5) return truncate([span], width, theme);
  const tail = Math.floor((width - 1) / 2);
  const head = width - 1 - tail;
  const { text, style } = span;
  return [
    theme.span(text.slice(0, head), style),
    theme.span(theme.glyphs.ellipsis, 'dim'),
    theme.span(text.slice(text.length - tail), style),
  ];
}

/** The whole line as the chosen one of a list: one style from edge to edge, readable without colour by its marker. */
export function selectedLine(line: Line, width: number, theme: Theme): Line {
  return fitTo(
    line.map((span) => ({ ...span, style: 'selected' as const })),
    width,
    theme,
  );
}

/** Left part, right part at the right edge; the left one is cut when both do not fit. */
export function spread(left: Line, right: Line, width: number, theme: Theme): Line {
  const room = width - widthOf(right);
  if (room < 8) return fitTo(left, width, theme);
  return [...fitTo(left, room, theme), ...right];
}
