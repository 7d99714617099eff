import { styleText } from 'node:util';

/** Exit codes (stable, documented in the README). */
export const EXIT = { done: 0, failed: 1, usage: 2, findings: 3, interrupted: 130 } as const;

type Style = 'green' | 'red' | 'yellow' | 'cyan' | 'dim' | 'bold';

/**
 * Where commands write: data to standard output, talk to standard error. Colour only where a terminal shows it and nobody
 * objects (`--no-color`, NO_COLOR, TERM=dumb).
 */
export class Output {
  readonly color: boolean;
  readonly isTty: boolean;
  readonly #viaNpx: boolean;

  constructor(environment: Readonly<Record<string, string | undefined>>, color: boolean | null) {
    this.isTty = process.stdout.isTTY === true && environment['TERM'] !== 'dumb';
    this.#viaNpx = environment['npm_command'] === 'exec';
    const forced = environment['FORCE_COLOR'] !== undefined && environment['FORCE_COLOR'] !== '0';
    this.color = color ?? (!environment['NO_COLOR'] && (forced || this.isTty));
  }

  /** A line of data. */
  print(line: string): void {
    process.stdout.write(`${line}\n`);
  }

  json(value: unknown): void {
    this.print(JSON.stringify(value, null, 2));
  }

  /** A line of talk. */
  say(line: string): void {
    process.stderr.write(`${line}\n`);
  }

  /** Talk that the next piece of talk writes over; only on a terminal. */
  sayOver(line: string): void {
    process.stderr.write(`\r\u001b[2K${line}`);
  }

  style(style: Style, text: string): string {
    return this.color ? styleText(style, text, { validateStream: false }) : text;
  }

  /** A command as it must be typed: who came through npx has no `mesh-sandbox` on the path. */
  typed(command: string): string {
    return this.#viaNpx ? command.replace(/(?<![\w/-])mesh-sandbox (?=[a-z-])/g, 'npx mesh-sandbox ') : command;
  }

  /** An error: what happened, and what to type next. */
  error(message: string, hints: readonly string[]): void {
    // A message may hold what an app or a file said.
    const safe = message.split('\n').map(printable).join('\n');
    this.say(`${this.style('red', 'error:')} ${safe}`);
    for (const hint of hints) this.say(`  ${this.style('cyan', '→')} ${this.typed(printable(hint))}`);
  }
}

/** Rows as aligned columns; a column as wide as its widest cell. */
export function table(header: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = header.map((name, column) => Math.max(name.length, ...rows.map((row) => (row[column] ?? '').length)));
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, i) => cell.padEnd(widths[i] ?? 0))
      .join('  ')
      .trimEnd();
  return [line(header), ...rows.map(line)];
}

/** Foreign text made harmless for a terminal: control and direction characters as escapes. */
export function printable(text: string): string {
  return text.replace(
    /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g,
    (character) => `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}

export function formatMs(ms: number): string {
  if (ms >= 1000) return `${(ms / 1000).toFixed(1)} s`;
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

export function formatBytes(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${(bytes / 1024 / 1024).toFixed(1)} MiB` : `${Math.round(bytes / 1024)} KiB`;
}
