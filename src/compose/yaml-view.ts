import { isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from 'yaml';
import type { SourceRef } from '../model/app.js';
import type { Findings } from './problems.js';

/** A value of a YAML file that knows where it stands. Wrong kinds become problems, and the reader goes on. */
export interface YamlView {
  readonly source: SourceRef;
  readonly kind: 'map' | 'list' | 'scalar' | 'null';
  /** Entries of a map in file order; empty for anything else (which is a problem unless it is null). */
  entries(what: string): { readonly key: string; readonly keySource: SourceRef; readonly value: YamlView }[];
  items(what: string): YamlView[];
  /** Text of a scalar; numbers and booleans as they were written. */
  text(what: string): string | null;
  number(what: string): number | null;
}

/** Largest file that is read, in bytes, and deepest nesting. */
const LIMITS = { bytes: 1024 * 1024, depth: 32, aliases: 100 } as const;

/** Parses a file; null (with problems) when it is no YAML, too large, too deep, or full of aliases. */
export function parseYaml(text: string, file: string, findings: Findings): YamlView | null {
  const start: SourceRef = { file, line: 1, column: 1 };
  if (Buffer.byteLength(text) > LIMITS.bytes) {
    findings.problem(start, 'the file is larger than 1 MiB');
    return null;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, uniqueKeys: true });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    findings.problem({ file, line, column: col }, error.message.split(' at line ')[0]?.split('\n')[0] ?? error.message);
  }
  if (document.errors.length > 0) return null;
  try {
    // Resolving once applies the limit on aliases; the views follow them by themselves.
    document.toJS({ maxAliasCount: LIMITS.aliases });
  } catch (error) {
    findings.problem(start, error instanceof Error ? error.message : String(error));
    return null;
  }
  const at = (node: Node | null | undefined, fallback: SourceRef): SourceRef => {
    if (!node?.range) return fallback;
    const { line, col } = lines.linePos(node.range[0]);
    return { file, line, column: col };
  };
  return viewOf(document.contents, {
    at,
    findings,
    depth: 0,
    fallback: start,
    resolve: (node) => (isAlias(node) ? (node.resolve(document) ?? null) : node),
  });
}

interface ViewParts {
  readonly at: (node: Node | null | undefined, fallback: SourceRef) => SourceRef;
  readonly findings: Findings;
  readonly depth: number;
  readonly fallback: SourceRef;
  readonly resolve: (node: Node | null) => Node | null;
}

function viewOf(given: Node | null, parts: ViewParts): YamlView {
  const { findings } = parts;
  const source = parts.at(given, parts.fallback);
  const tooDeep = parts.depth > LIMITS.depth;
  if (tooDeep) findings.problem(source, `nested deeper than ${LIMITS.depth} levels`);
  const node = tooDeep ? null : parts.resolve(given);
  const below = (child: Node | null, fallback: SourceRef): YamlView =>
    viewOf(child, { ...parts, depth: parts.depth + 1, fallback });
  const kind = kindOf(node);
  const wrong = (what: string, wanted: string): void => findings.problem(source, `${what} must be ${wanted}`);
  return {
    source,
    kind,
    entries(what) {
      if (!isMap(node)) {
        if (kind !== 'null') wrong(what, 'a mapping (key: value)');
        return [];
      }
      return node.items.map(({ key, value }) => {
        const keySource = parts.at(key as Node, source);
        return {
          key: isScalar(key) ? String(key.value) : '',
          keySource,
          value: below((value ?? null) as Node | null, keySource),
        };
      });
    },
    items(what) {
      if (!isSeq(node)) {
        if (kind !== 'null') wrong(what, 'a list');
        return [];
      }
      return node.items.map((item) => below(item as Node, source));
    },
    text(what) {
      if (isScalar(node) && node.value !== null)
        return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
      wrong(what, 'text');
      return null;
    },
    number(what) {
      const value = isScalar(node) ? Number(node.value) : Number.NaN;
      if (isScalar(node) && node.value !== '' && node.value !== null && Number.isFinite(value)) return value;
      wrong(what, 'a number');
      return null;
    },
  };
}

function kindOf(node: Node | null): YamlView['kind'] {
  if (isMap(node)) return 'map';
  if (isSeq(node)) return 'list';
  return isScalar(node) && node.value !== null ? 'scalar' : 'null';
}
