import type { Line, Style } from '../frame.js';
import type { Theme } from '../theme.js';

/** A sentence in lines of at most `width` cells, broken at spaces; later lines are indented by `indent`. */
export function wrap(text: string, width: number, theme: Theme, style: Style = 'plain', indent = 0): readonly Line[] {
  const room = Math.max(1, width);
  const hang = ' '.repeat(Math.min(indent, room - 1));
  const lines: string[] = [];
  const words = theme.span(text).text.trimStart();
  const lead = ' '.repeat(Math.min(text.length - text.trimStart().length, room - 1));
  let line = lead;
  for (const word of words.split(' ')) {
    for (const piece of piecesOf(word, room - Math.max(hang.length, lead.length))) {
      const joined = line.trim() === '' ? line + piece : `${line} ${piece}`;
      if (joined.length <= room) line = joined;
      else {
        lines.push(line);
        line = hang + piece;
      }
    }
  }
  lines.push(line);
  return lines.map((each) => [theme.span(each, style)]);
}

function piecesOf(word: string, room: number): readonly string[] {
  if (word.length <= room) return [word];
  const pieces: string[] = [];
  for (let at = 0; at < word.length; at += room) pieces.push(word.slice(at, at + room));
  return pieces;
}
