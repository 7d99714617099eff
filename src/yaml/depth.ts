import { CST, Lexer } from 'yaml';

/**
 * Where a YAML text begins to be nested deeper than `limit`, as an offset; null when it never is. Looks at tokens only,
 * before anything is composed: composing is recursive, and a hostile file would end the whole process by its stack.
 * Collections that share a column count once, so that the true depth may be twice the limit.
 */
export function tooDeepAt(text: string, limit: number): number | null {
  const columns = new OpenColumns();
  let flow = 0;
  let offset = 0;
  for (const token of new Lexer().lex(text)) {
    const type = CST.tokenType(token);
    if (type === 'flow-seq-start' || type === 'flow-map-start') flow++;
    else if (type === 'flow-seq-end' || type === 'flow-map-end') flow = Math.max(0, flow - 1);
    if (flow === 0) columns.see(type, token);
    if (flow + columns.depth > limit) return offset;
    if (!isMark(type)) offset += token.length;
  }
  return null;
}

/** Tokens that stand for themselves and take no room in the text. */
function isMark(type: ReturnType<typeof CST.tokenType>): boolean {
  return type === 'doc-mode' || type === 'flow-error-end' || type === 'scalar';
}

/** The columns at which block collections are open, outermost first. */
class OpenColumns {
  readonly #open: number[] = [];
  #column = 0;
  /** Column of what an indicator further right would make a key; null right after a line or an indicator began. */
  #key: number | null = null;

  get depth(): number {
    return this.#open.length;
  }

  see(type: ReturnType<typeof CST.tokenType>, token: string): void {
    if (isMark(type)) return;
    if (type === 'seq-item-ind' || type === 'explicit-key-ind') this.#enter(this.#column);
    else if (type === 'map-value-ind') this.#enter(this.#key ?? this.#column);
    else if (type !== 'space' && type !== 'newline') this.#key ??= this.#column;
    const line = token.lastIndexOf('\n');
    this.#column = line < 0 ? this.#column + token.length : token.length - line - 1;
    if (line >= 0) this.#key = null;
  }

  #enter(column: number): void {
    while ((this.#open.at(-1) ?? -1) > column) this.#open.pop();
    if (this.#open.at(-1) !== column) this.#open.push(column);
    this.#key = null;
  }
}
