import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, type Pair, parseDocument } from 'yaml';
import type { SourceRef } from '../model/app.js';
import { tooDeepAt } from './depth.js';
import type { Findings } from './problems.js';

/** A value of a YAML file that knows where it stands. Wrong kinds become problems, and the reader goes on. */
export interface YamlView {
  readonly source: SourceRef;
  readonly kind: 'map' | 'list' | 'scalar' | 'null';
  /** Entries of a map in file order, with those merged into it (`<<`); empty for anything else (a problem unless null). */
  entries(what: string): YamlEntry[];
  items(what: string): YamlView[];
  /** Text of a scalar; numbers and booleans as they were written. */
  text(what: string): string | null;
  number(what: string): number | null;
}

export interface YamlEntry {
  readonly key: string;
  readonly keySource: SourceRef;
  readonly value: YamlView;
}

/** Largest file that is read, in bytes, deepest nesting, and how often aliases may multiply what they stand for. */
const LIMITS = { bytes: 1024 * 1024, depth: 32, aliases: 100 } as const;

/** Parses a file; null (with problems) when it is no YAML, too large, too deep, or full of aliases. */
export function parseYaml(text: string, file: string, findings: Findings): YamlView | null {
  const start: SourceRef = { file, line: 1, column: 1 };
  if (Buffer.byteLength(text) > LIMITS.bytes) {
    findings.problem(start, 'the file is larger than 1 MiB');
    return null;
  }
  const deep = tooDeepAt(text, LIMITS.depth);
  if (deep !== null) {
    findings.problem(placeOf(text, deep, file), `nested deeper than ${LIMITS.depth} levels`);
    return null;
  }
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, merge: true, uniqueKeys: true });
  for (const error of document.errors) {
    const { line, col } = lines.linePos(error.pos[0]);
    findings.problem({ file, line, column: col }, messageOf(error));
  }
  if (document.errors.length > 0 || !aliasesAreFew(document, start, findings)) return null;
  const at = (node: Node | null | undefined, fallback: SourceRef): SourceRef => {
    if (!node?.range) return fallback;
    const { line, col } = lines.linePos(node.range[0]);
    return { file, line, column: col };
  };
  const resolve = (node: Node | null): Node | null => (isAlias(node) ? (node.resolve(document) ?? null) : node);
  return new NodeView(document.contents, start, 0, { at, findings, resolve });
}

/** Resolving the whole file once applies the limit on aliases; the views follow them by themselves. */
function aliasesAreFew(document: Document.Parsed, start: SourceRef, findings: Findings): boolean {
  try {
    document.toJS({ maxAliasCount: LIMITS.aliases, mapAsMap: true });
    return true;
  } catch (error) {
    findings.problem(start, error instanceof Error ? error.message : String(error));
    return false;
  }
}

/** What the parser says, without its picture of the line and its advice to programmers. */
function messageOf({ code, message }: { readonly code: string; readonly message: string }): string {
  if (code === 'MULTIPLE_DOCS') return 'a second document begins here; one file is one app';
  return message.split(' at line ')[0]?.split('\n')[0] ?? message;
}

function placeOf(text: string, offset: number, file: string): SourceRef {
  const before = text.slice(0, offset).split('\n');
  return { file, line: before.length, column: (before.at(-1)?.length ?? 0) + 1 };
}

interface ViewParts {
  readonly at: (node: Node | null | undefined, fallback: SourceRef) => SourceRef;
  readonly findings: Findings;
  readonly resolve: (node: Node | null) => Node | null;
}

class NodeView implements YamlView {
  readonly source: SourceRef;
  readonly kind: YamlView['kind'];
  readonly #node: Node | null;
  readonly #depth: number;
  readonly #parts: ViewParts;

  constructor(given: Node | null, fallback: SourceRef, depth: number, parts: ViewParts) {
    this.#depth = depth;
    this.#parts = parts;
    this.source = parts.at(given, fallback);
    // Only aliases can still lead deeper here, perhaps in a circle.
    const tooDeep = depth > LIMITS.depth;
    if (tooDeep) parts.findings.problem(this.source, `nested deeper than ${LIMITS.depth} levels`);
    this.#node = tooDeep ? null : parts.resolve(given);
    this.kind = kindOf(this.#node);
  }

  entries(what: string): YamlEntry[] {
    if (!isMap(this.#node)) {
      if (this.kind !== 'null') this.#wrong(what, 'a mapping (key: value)');
      return [];
    }
    return this.#pairsOf(this.#node, 0).map(({ key, value }) => {
      const keySource = this.#parts.at(key as Node, this.source);
      return { key: isScalar(key) ? String(key.value) : '', keySource, value: this.#below(value, keySource) };
    });
  }

  items(what: string): YamlView[] {
    if (isSeq(this.#node)) return this.#node.items.map((item) => this.#below(item, this.source));
    if (this.kind !== 'null') this.#wrong(what, 'a list');
    return [];
  }

  text(what: string): string | null {
    const node = this.#node;
    if (isScalar(node) && node.value !== null)
      return typeof node.value === 'string' ? node.value : (node.source ?? String(node.value));
    this.#wrong(what, 'text');
    return null;
  }

  number(what: string): number | null {
    const value = isScalar(this.#node) ? this.#node.value : null;
    const number = typeof value === 'string' && /^\d+(\.\d+)?$/.test(value) ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    this.#wrong(what, 'a number');
    return null;
  }

  #below(child: unknown, fallback: SourceRef): YamlView {
    return new NodeView((child ?? null) as Node | null, fallback, this.#depth + 1, this.#parts);
  }

  #wrong(what: string, wanted: string): void {
    this.#parts.findings.problem(this.source, `${what} must be ${wanted}`);
  }

  /** A map's pairs; the map's own win over merged ones, and the first merged map over the next. */
  #pairsOf(node: Node | null, depth: number): Pair[] {
    if (!isMap(node) || depth > LIMITS.depth) return [];
    const own = node.items.filter(({ key }) => !isMergeKey(key));
    const merged = node.items
      .filter(({ key }) => isMergeKey(key))
      .flatMap(({ value }) => this.#mergedNodes(value as Node | null))
      .flatMap((other) => this.#pairsOf(other, depth + 1));
    const named = new Map<string, Pair>();
    for (const pair of [...own, ...merged]) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      if (!named.has(name)) named.set(name, pair);
    }
    return [...named.values()];
  }

  #mergedNodes(value: Node | null): (Node | null)[] {
    const node = this.#parts.resolve(value);
    return isSeq(node) ? node.items.map((item) => this.#parts.resolve(item as Node)) : [node];
  }
}

/** `<<`, which the parser turns into a symbol. */
function isMergeKey(key: unknown): boolean {
  return isScalar(key) && typeof key.value === 'symbol' && key.value.description === '<<';
}

function kindOf(node: Node | null): YamlView['kind'] {
  if (isMap(node)) return 'map';
  if (isSeq(node)) return 'list';
  return isScalar(node) && node.value !== null ? 'scalar' : 'null';
}
