import { CST, Lexer } from 'yaml';

/**
 * Where a YAML text begins to be nested deeper than `limit`, as an offset; null when it never is. Looks at tokens only,
 * before anything is composed: composing is recursive, and a hostile file would end the whole process by its stack.
 * Collections that share a column count once, so that the true depth may be twice the limit.
 */
export function tooDeepAt(text: string, limit: number): number | null {
  return mayBeDeep(text, limit) ? tooDeepByTokens(text, limit) : null;
}

/** The same from the tokens alone. */
export function tooDeepByTokens(text: string, limit: number): number | null {
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

/**
 * Whether characters alone do not rule it out, which spares nearly every file the tokens. A document is never deeper than
 * its open brackets and the block collections of a line: one for each column of its indentation and for each indicator.
 * Brackets that close count until a quote or a comment could hold one.
 */
function mayBeDeep(text: string, limit: number): boolean {
  let open = 0;
  let closing = true;
  let deepest = 0;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline < 0 ? text.length : newline;
    if (text.startsWith('---', start)) [open, deepest, closing] = [0, 0, true];
    let at = start;
    while (text.charCodeAt(at) === SPACE) at++;
    let blocks = at - start + 1;
    let widest = open;
    for (; at < end; at++) {
      switch (text.charCodeAt(at)) {
        case 0x5b: // [
        case 0x7b: // {
          widest = Math.max(widest, ++open);
          break;
        case 0x5d: // ]
        case 0x7d: // }
          if (closing) open = Math.max(0, open - 1);
          break;
        case 0x22: // "
        case 0x27: // '
        case 0x23: // #
          closing = false;
          break;
        case 0x2d: // -
        case 0x3a: // :
        case 0x3f: // ?
          blocks++;
      }
    }
    deepest = Math.max(deepest, blocks);
    if (widest + deepest > limit) return true;
    start = end + 1;
  }
  return false;
}

const SPACE = 0x20;

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
