import type { Attempt } from '../../model/exchange.js';
import type { Exchange } from '../../protocol/api-types.js';
import type { Line } from '../frame.js';
import { hopTree } from '../store/hop-tree.js';
import { millis } from '../text/numbers.js';
import type { Theme } from '../theme.js';
import { fitTo, truncate } from '../widgets/fit.js';
import { wrap } from '../widgets/wrap.js';
import { isGood, securityOf, statusSpan } from './words.js';

/** Every hop of a request below its caller, each with its tries and why another one followed. */
export function hopLines(exchanges: readonly Exchange[], width: number, theme: Theme): readonly Line[] {
  return hopTree(exchanges).flatMap(({ depth, exchange }) => {
    // Deep chains stop moving right where no room for words would be left.
    const indent = Math.min(depth * 2, Math.max(0, width - 40));
    const inset = theme.span(' '.repeat(indent));
    const room = width - indent;
    const lines = [hopLine(exchange, room, theme), ...attemptLines(exchange, room, theme)];
    return lines.map((line) => [inset, ...line]);
  });
}

/** How it ended and whether it was encrypted come first: they are never cut. */
function hopLine(exchange: Exchange, width: number, theme: Theme): Line {
  const { span, glyphs } = theme;
  const { reporter, destination, source, durationMs, security } = exchange;
  const inbound = reporter.direction === 'inbound';
  const way = inbound ? `from ${source.workload || 'somebody'}` : `${glyphs.arrow} ${destination.service}`;
  const line: Line = [
    ...fitTo([statusSpan(exchange, theme)], 6, theme),
    ...fitTo([securityOf(security.mode, theme)], 8, theme),
    ...fitTo([span(millis(durationMs))], 7, theme),
    span(reporter.workload, 'strong'),
    span(` ${way}`),
  ];
  return truncate(line, width, theme);
}

/** What faults did to the hop, then its tries with the reason for the next one. */
function attemptLines({ attempts, decisions }: Exchange, width: number, theme: Theme): readonly Line[] {
  const faults = decisions
    .filter(({ kind }) => kind === 'fault')
    .flatMap(({ text }) => wrap(`  FAULT ${text}`, width, theme, 'bad', 4));
  return [
    ...faults,
    ...attempts.flatMap((attempt, index) => attemptLine(attempt, index < attempts.length - 1, width, theme)),
  ];
}

function attemptLine(attempt: Attempt, retried: boolean, width: number, theme: Theme): readonly Line[] {
  const { glyphs } = theme;
  const good = isGood(attempt);
  const what = attempt.failure ?? String(attempt.status);
  const where = attempt.workload === '' ? attempt.endpoint : `${attempt.workload} (${attempt.endpoint})`;
  const mark = good ? glyphs.ok : glyphs.bad;
  const text = `  ${mark} try ${attempt.number} at ${where}: ${what} after ${millis(attempt.durationMs)}`;
  const next =
    attempt.next === '' ? [] : wrap(`    ${retried ? glyphs.retry : '-'} ${attempt.next}`, width, theme, 'dim', 6);
  return [...wrap(text, width, theme, good ? 'plain' : 'bad', 6), ...next];
}
