/**
 * How much of everything a file may hold. A team's largest files stay far below; what lies above is there to keep a parser
 * busy, and is refused before one sees it.
 */
const KINDS: readonly Kind[] = [
  { what: 'lines', most: 60_000, signs: ['\n'] },
  { what: 'documents', most: 5_000, signs: ['---'], after: isLineEnd },
  { what: 'colons', most: 120_000, signs: [':'] },
  { what: 'commas', most: 60_000, signs: [','] },
  { what: 'tags (!)', most: 100, signs: ['!'], after: isBoundary },
  { what: 'anchors and aliases (& and *)', most: 1_000, signs: ['&', '*'], after: isBoundary },
];

interface Kind {
  readonly what: string;
  readonly most: number;
  readonly signs: readonly string[];
  /** It counts only after such a character; a text begins as after a line end. */
  readonly after?: (previous: number) => boolean;
}

const MOST_EXPRESSIONS = 1_000;
const EXPRESSION = /\b(?:regex|RegularExpression|pathRegex|safeRegex)\b/g;

export interface Excess {
  readonly offset: number;
  readonly what: string;
}

/**
 * Where a text begins to hold too much of something, as an offset, and of what; null = it does not. Signs are looked for
 * whatever they mean: quoted ones count too.
 */
export function tooMuchAt(text: string): Excess | null {
  for (const kind of KINDS) {
    const offset = excessOf(text, kind);
    if (offset !== null) return { offset, what: `more than ${kind.most} ${kind.what}` };
  }
  let expressions = 0;
  for (const { index } of text.matchAll(EXPRESSION))
    if (++expressions > MOST_EXPRESSIONS)
      return { offset: index, what: `more than ${MOST_EXPRESSIONS} regular expressions` };
  return null;
}

/** From sign to sign by the engine's own search, which passes over what lies between faster than any loop here. */
function excessOf(text: string, { most, signs, after }: Kind): number | null {
  let left = most;
  for (const sign of signs)
    for (let at = text.indexOf(sign); at >= 0; at = text.indexOf(sign, at + 1))
      if ((after === undefined || after(at === 0 ? NEWLINE : text.charCodeAt(at - 1))) && left-- === 0) return at;
  return null;
}

function isLineEnd(c: number): boolean {
  return c === NEWLINE;
}

/** White space, and what may stand before a value in a flow collection. */
function isBoundary(c: number): boolean {
  return c <= 32 || c === COMMA || c === COLON || c === BRACKET || c === BRACE;
}

const NEWLINE = 0x0a;
const COMMA = 0x2c;
const COLON = 0x3a;
const BRACKET = 0x5b;
const BRACE = 0x7b;
