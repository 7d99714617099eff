import type { Line, Size } from '../frame.js';
import { bindingsOf, modeOf } from '../keymap/keymap.js';
import type { State } from '../store/state.js';
import { duration } from '../text/numbers.js';
import type { Theme } from '../theme.js';
import { truncate } from '../widgets/fit.js';

/** One line for what has to be known now; losing the control plane comes before everything else. */
export function messageLine({ connection, now, message, tap }: State, { cols }: Size, theme: Theme): Line {
  const { span, glyphs } = theme;
  if (connection.kind === 'broken') {
    const since = duration(now - connection.since);
    const text = `${glyphs.bad} control plane not answering since ${since}; sidecars keep serving`;
    return truncate([span(` ${text}`, 'bad')], cols, theme);
  }
  if (tap.typing !== null) return truncate([span(` filter: ${tap.typing}_`, 'strong')], cols, theme);
  if (message === null) return [];
  const line =
    message.level === 'error' ? span(` ${glyphs.bad} ${message.text}`, 'bad') : span(` ${message.text}`, 'accent');
  return truncate([line], cols, theme);
}

/** The keys that mean something now, as many as fit; leaving and help always do. */
export function keyLine(state: State, { cols }: Size, theme: Theme): Line {
  const shown = bindingsOf(modeOf(state)).filter(({ short }) => short !== '');
  const must = shown.filter(({ command }) => command === 'help' || command === 'quit');
  const widthOf = (entries: typeof shown): number =>
    entries.reduce((sum, { shown: key, short }) => sum + key.length + short.length + 3, 1);
  let room = cols - widthOf(must);
  const kept = shown.filter((binding) => {
    if (must.includes(binding)) return true;
    room -= widthOf([binding]) - 1;
    return room >= 0;
  });
  const spans = kept.flatMap((binding) => [
    theme.span(` ${binding.shown} `, 'accent'),
    theme.span(`${binding.short} `, 'dim'),
  ]);
  return truncate(spans, cols, theme);
}
