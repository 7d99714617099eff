import { InvalidArgumentError } from 'commander';

/** Parsers of option values; they throw what commander shows with the option's name. */
export function integer(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a whole number from ${least} to ${most} is needed.`);
  };
}

export function number(least: number, most: number) {
  return (text: string): number => {
    const value = Number(text);
    if (text.trim() !== '' && value >= least && value <= most) return value;
    throw new InvalidArgumentError(`a number from ${least} to ${most} is needed.`);
  };
}

/** `250ms`, `2s`, `1.5s`, `1m` → milliseconds. */
export function duration(text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m)$/.exec(text);
  const unit = { ms: 1, s: 1000, m: 60_000 }[match?.[2] ?? ''];
  if (match && unit !== undefined) return Math.round(Number(match[1]) * unit);
  throw new InvalidArgumentError('a duration such as 250ms, 2s or 1m is needed.');
}

/** `300ms` or `300ms±50ms` (also `300ms+-50ms`) → delay and jitter. */
export function delay(text: string): { ms: number; jitterMs: number } {
  const [base = '', jitter] = text.split(/±|\+-/);
  return { ms: duration(base), jitterMs: jitter === undefined ? 0 : duration(jitter) };
}

/** `name: value` or `name=value`, collected over repeated options. */
export function header(text: string, before: readonly [string, string][] = []): [string, string][] {
  const match = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)\s*[:=]\s*(.*)$/.exec(text);
  if (match) return [...before, [match[1] as string, match[2] as string]];
  throw new InvalidArgumentError('a header such as end-user=jason is needed.');
}

/** `50` or `50%` → 50. */
export function percent(text: string): number {
  return number(0, 100)(text.replace(/\s*%$/, ''));
}
