import type { Line, Style } from '../frame.js';
import type { Theme } from '../theme.js';

/** A share 0-1 as a bar of `width` cells. The number belongs beside it: a bar alone is not readable by everybody. */
export function bar(share: number, width: number, theme: Theme, style: Style = 'accent'): Line {
  const bounded = Number.isFinite(share) ? Math.min(1, Math.max(0, share)) : 0;
  const full = Math.round(bounded * width);
  return [
    theme.span(theme.glyphs.full.repeat(full), style),
    theme.span(theme.glyphs.empty.repeat(Math.max(0, width - full)), 'dim'),
  ];
}
