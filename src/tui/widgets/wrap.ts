import type { Line, Style } from '../frame.js';
import type { Theme } from '../theme.js';

/** A sentence in lines of at most `width` cells, broken at spaces; later lines are indented by `indent`. */
export function wrap(text: string, width: number, theme: Theme, style: Style = 'plain', indent = 0): readonly Line[] {
  const room = Math.max(1, width);
  const hang = ' '.repeat(Math.min(indent, room - 1));
  const lines: string[] = [];
  let line = '';
  for (const word of theme.span(text).text.split(' ')) {
    for (const piece of piecesOf(word, room - hang.length)) {
      const joined = line === '' ? piece : `${line} ${piece}`;
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
