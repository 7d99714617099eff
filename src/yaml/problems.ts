import type { SourceRef } from '../model/app.js';
import { nearest } from '../model/nearest.js';

/** Something in the file that must be mended: where, what, and what to write. */
export interface Problem {
  readonly source: SourceRef;
  readonly message: string;
  readonly hint: string;
}

export interface Warning {
  readonly message: string;
  readonly source: SourceRef | null;
}

/** `compose.yaml:7:14 message (hint)` */
export function formatProblem({ source, message, hint }: Problem): string {
  return `${source.file}:${source.line}:${source.column} ${message}${hint === '' ? '' : ` (${hint})`}`;
}

/** So many mistakes of one file are told. */
const MOST = 500;

/** Collects all problems and warnings of a file, so that they can be told at once. */
export class Findings {
  readonly problems: Problem[] = [];
  /** Fields that are known and not obeyed: where, which, and why. */
  readonly unobeyed: Problem[] = [];
  readonly #told = new Set<string>();
  readonly #warnings: Warning[] = [];
  readonly #ignored = new Map<string, { readonly services: string[]; readonly why: string; source: SourceRef }>();

  /** Told once, however often a reader meets it; of very many only the first are told. */
  problem(source: SourceRef, message: string, hint = ''): void {
    const key = `${source.line}:${source.column} ${message}`;
    if (this.#told.has(key) || this.problems.length > MOST) return;
    this.#told.add(key);
    this.problems.push(
      this.problems.length < MOST
        ? { source, message, hint }
        : { source, message: 'and more mistakes behind this one, which are not told', hint: '' },
    );
  }

  /** A key that nobody knows, with the nearest one that is known. */
  unknownKey(source: SourceRef, key: string, where: string, known: readonly string[]): void {
    if (this.problems.length > MOST) return;
    this.problem(source, `unknown key ${JSON.stringify(key)} in ${where}`, suggestion(key, known, 'known'));
  }

  /** A field that is known and not obeyed. */
  unsupported(source: SourceRef, where: string, why: string): void {
    this.unobeyed.push({ source, message: where, hint: why });
  }

  warn(source: SourceRef | null, message: string): void {
    this.#warnings.push({ source, message });
  }

  /** A valid key of a service that the sandbox does not obey. Told once per key: most files repeat theirs in each service. */
  ignored(source: SourceRef, key: string, service: string, why: string): void {
    const known = this.#ignored.get(key);
    if (known === undefined) this.#ignored.set(key, { services: [service], why, source });
    else known.services.push(service);
  }

  /** Readers meet problems part by part; users mend them from the top. */
  inFileOrder(): Problem[] {
    return this.problems.toSorted((a, b) => a.source.line - b.source.line || a.source.column - b.source.column);
  }

  get warnings(): Warning[] {
    const ignored = [...this.#ignored].map(([key, { services, why, source }]) => ({
      message: `${key} has no effect: ${why} (${shortened(services)})`,
      source,
    }));
    return [...this.#warnings, ...ignored];
  }
}

/** `did you mean x?`, or all that there are. */
export function suggestion(word: string, known: readonly string[], label: string): string {
  const close = nearest(word, known);
  return close === null ? `${label}: ${known.join(', ') || 'none'}` : `did you mean ${close}?`;
}

function shortened(names: readonly string[]): string {
  const shown = names.slice(0, 3).join(', ');
  return names.length > 3 ? `${shown} and ${names.length - 3} more` : shown;
}
