import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  parseDocument,
  Schema,
  visit,
  type YAMLError,
} from 'yaml';
import type { SourceRef } from '../model/app.js';
import { tooMuchAt } from './amount.js';
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
  /** The same value, whose problems others hear of. */
  toldTo(findings: Findings): YamlView;
  /** What a scalar is in YAML's own types; null for anything else. */
  readonly scalar: string | number | boolean | null;
}

export interface YamlEntry {
  readonly key: string;
  readonly keySource: SourceRef;
  readonly value: YamlView;
}

/** A mapping as it is, without the entries that are not wanted. */
export function mapView(view: YamlView, wanted: (entry: YamlEntry) => boolean): YamlView {
  return {
    source: view.source,
    kind: 'map',
    scalar: null,
    entries: (what) => view.entries(what).filter(wanted),
    items: () => [],
    text: () => null,
    number: () => null,
    toldTo: (findings) => mapView(view.toldTo(findings), wanted),
  };
}

/** Largest file that is read, in bytes, deepest nesting, and how often aliases may multiply what they stand for. */
const LIMITS = { bytes: 1024 * 1024, depth: 32, aliases: 100 } as const;

/** Keys are compared by ourselves: the parser's way takes the square of their number. */
const OPTIONS = { merge: true, uniqueKeys: false, prettyErrors: false } as const;
/** One for all documents, where the parser would make one for each; a document that names its version gets its own. */
const SCHEMA = new Schema({ schema: 'core', merge: true, resolveKnownTags: true });

function optionsFor(text: string, lineCounter: LineCounter) {
  return { lineCounter, ...OPTIONS, ...(text.includes('%YAML') ? {} : { schema: SCHEMA }) };
}

/** So many mistakes of one document are told. */
const MOST_ERRORS = 20;

/** Parses a file; null (with problems) when it is no YAML, too large, too deep, or full of aliases. */
export function parseYaml(text: string, file: string, findings: Findings): YamlView | null {
  if (!isBounded(text, file, findings)) return null;
  const lines = new LineCounter();
  const document = parseDocument(text, optionsFor(text, lines));
  return viewOf(document, { file, firstLine: 1, lines, findings, mayAlias: text.includes('*') });
}

/** One document of a file: its view, and its own text with the line on which that begins. */
export interface YamlDocument {
  readonly view: YamlView;
  readonly text: string;
  readonly firstLine: number;
}

/**
 * The documents of a file, without those that hold nothing. One that is no YAML becomes problems and is left out; null =
 * the file as a whole is too large or too deep. `firstLine` is where the text began in the file that people know.
 */
export function parseYamlDocuments(
  text: string,
  file: string,
  findings: Findings,
  firstLine = 1,
): YamlDocument[] | null {
  if (!isBounded(text, file, findings)) return null;
  const lines = new LineCounter();
  const documents: readonly Document.Parsed[] = [...parseAllDocuments(text, optionsFor(text, lines))];
  const mayAlias = text.includes('*');
  return documents.flatMap((document) => {
    if (document.contents === null && document.errors.length === 0) return [];
    const view = viewOf(document, { file, firstLine, lines, findings, mayAlias });
    if (view === null || view.kind === 'null') return [];
    const [start, , end] = document.range;
    const first = lines.linePos(start).line;
    const from = lines.lineStarts[first - 1] ?? 0;
    return [{ view, text: text.slice(from, end), firstLine: first + firstLine - 1 }];
  });
}

/** Neither too large nor too deep to be looked at. */
function isBounded(text: string, file: string, findings: Findings): boolean {
  if (Buffer.byteLength(text) > LIMITS.bytes) {
    findings.problem({ file, line: 1, column: 1 }, 'the file is larger than 1 MiB');
    return false;
  }
  const much = tooMuchAt(text);
  if (much !== null) {
    findings.problem(placeOf(text, much.offset, file), `the file holds ${much.what}`, 'split it into several files');
    return false;
  }
  const deep = tooDeepAt(text, LIMITS.depth);
  if (deep !== null) findings.problem(placeOf(text, deep, file), `nested deeper than ${LIMITS.depth} levels`);
  return deep === null;
}

interface Place {
  readonly file: string;
  readonly firstLine: number;
  readonly lines: LineCounter;
  readonly findings: Findings;
  /** Whether the sign of an alias stands anywhere: without it none need be looked for. */
  readonly mayAlias: boolean;
}

/** The view of a parsed document; null (with problems) where it is no YAML or full of aliases. */
function viewOf(document: Document.Parsed, { file, firstLine, lines, findings, mayAlias }: Place): YamlView | null {
  const place = (offset: number): SourceRef => {
    const { line, col } = lines.linePos(offset);
    return { file, line: line + firstLine - 1, column: col };
  };
  for (const error of document.errors.slice(0, MOST_ERRORS)) findings.problem(place(error.pos[0]), messageOf(error));
  const start = place(document.range[0]);
  if (document.errors.length > 0 || (mayAlias && !aliasesAreFew(document, start, findings))) return null;
  const at = (node: Node | null | undefined, fallback: SourceRef): SourceRef => {
    return node?.range ? place(node.range[0]) : fallback;
  };
  const resolve = (node: Node | null): Node | null => (isAlias(node) ? (node.resolve(document) ?? null) : node);
  return new NodeView(document.contents, start, 0, { at, findings, resolve });
}

/** Resolving the whole file once applies the limit on aliases; the views follow them by themselves. */
function aliasesAreFew(document: Document.Parsed, start: SourceRef, findings: Findings): boolean {
  let aliases = 0;
  visit(document, {
    Alias: () => {
      aliases++;
    },
  });
  if (aliases === 0) return true;
  try {
    document.toJS({ maxAliasCount: LIMITS.aliases, mapAsMap: true });
    return true;
  } catch (error) {
    findings.problem(start, error instanceof Error ? error.message : String(error));
    return false;
  }
}

/** What the parser says, without its picture of the line and its advice to programmers. */
function messageOf({ code, message }: YAMLError): string {
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
  readonly #given: Node | null;
  readonly #node: Node | null;
  readonly #depth: number;
  readonly #parts: ViewParts;

  constructor(given: Node | null, fallback: SourceRef, depth: number, parts: ViewParts) {
    this.#given = given;
    this.#depth = depth;
    this.#parts = parts;
    this.source = parts.at(given, fallback);
    // Only aliases can still lead deeper here, perhaps in a circle.
    const tooDeep = depth > LIMITS.depth;
    if (tooDeep) parts.findings.problem(this.source, `nested deeper than ${LIMITS.depth} levels`);
    this.#node = tooDeep ? null : parts.resolve(given);
    this.kind = kindOf(this.#node);
  }

  get scalar(): string | number | boolean | null {
    const value = isScalar(this.#node) ? this.#node.value : null;
    return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' ? value : null;
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

  toldTo(findings: Findings): YamlView {
    return new NodeView(this.#given, this.source, this.#depth, { ...this.#parts, findings });
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
    for (const [i, pair] of [...own, ...merged].entries()) {
      const name = isScalar(pair.key) ? String(pair.key.value) : '';
      if (!named.has(name)) named.set(name, pair);
      else if (i < own.length && depth === 0)
        this.#parts.findings.problem(
          this.#parts.at(pair.key as Node, this.source),
          `the key ${JSON.stringify(name)} stands twice`,
        );
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
