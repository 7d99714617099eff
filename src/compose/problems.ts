import type { SourceRef } from '../model/app.js';
import { nearest } from '../model/nearest.js';

/** Something in the file that must be mended: where, what, and what to write. */
export interface Problem {
  readonly source: SourceRef;
  readonly message: string;
  readonly hint: string;
}

/** `compose.yaml:7:14 message (hint)` */
export function formatProblem({ source, message, hint }: Problem): string {
  return `${source.file}:${source.line}:${source.column} ${message}${hint === '' ? '' : ` (${hint})`}`;
}

/** Collects all problems and warnings of a file, so that they can be told at once. */
export class Findings {
  readonly problems: Problem[] = [];
  readonly warnings: { message: string; source: SourceRef | null }[] = [];

  problem(source: SourceRef, message: string, hint = ''): void {
    this.problems.push({ source, message, hint });
  }

  /** A key that nobody knows, with the nearest one that is known. */
  unknownKey(source: SourceRef, key: string, where: string, known: readonly string[]): void {
    const close = nearest(key, known);
    this.problem(
      source,
      `unknown key ${JSON.stringify(key)} in ${where}`,
      close === null ? `known: ${known.join(', ')}` : `did you mean ${close}?`,
    );
  }

  warn(source: SourceRef | null, message: string): void {
    this.warnings.push({ source, message });
  }
}
