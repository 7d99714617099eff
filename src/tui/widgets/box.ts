import type { Line, Size } from '../frame.js';
import type { Theme } from '../theme.js';
import { fitTo } from './fit.js';

/** A framed box in the middle of an otherwise empty area; for questions and menus. */
export function centredBox(title: string, content: readonly Line[], size: Size, theme: Theme): readonly Line[] {
  const longest = Math.max(title.length + 2, ...content.map((line) => line.reduce((sum, s) => sum + s.text.length, 0)));
  const inner = Math.max(0, Math.min(longest, size.cols - 6));
  const left = theme.span(' '.repeat(Math.max(0, Math.floor((size.cols - inner - 4) / 2))));
  const height = Math.max(0, Math.min(content.length, size.rows - 2));
  const { corners, horizontal, vertical } = theme.glyphs;
  const rule = horizontal.repeat(Math.max(0, inner - title.length));
  const rows: Line[] = Array.from({ length: Math.max(0, Math.floor((size.rows - height - 2) / 2)) }, () => []);
  rows.push([left, theme.span(corners[0]), theme.span(` ${title} `, 'title'), theme.span(rule + corners[1])]);
  for (const line of content.slice(0, height)) {
    rows.push([left, theme.span(`${vertical} `), ...fitTo(line, inner, theme), theme.span(` ${vertical}`)]);
  }
  rows.push([left, theme.span(corners[2] + horizontal.repeat(inner + 2) + corners[3])]);
  return rows;
}
