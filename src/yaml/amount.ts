/**
 * How much of everything a file may hold. A team's largest files stay far below; what lies above is there to keep a parser
 * busy, and is refused before one sees it.
 */
const MOST = {
  lines: [60_000, 'lines'],
  documents: [5_000, 'documents'],
  colons: [120_000, 'colons'],
  commas: [60_000, 'commas'],
  tags: [100, 'tags (!)'],
  anchors: [1_000, 'anchors and aliases (& and *)'],
  expressions: [1_000, 'regular expressions'],
} as const satisfies Record<string, readonly [number, string]>;

type Counted = keyof typeof MOST;

const EXPRESSION = /\b(?:regex|RegularExpression|pathRegex|safeRegex)\b/g;

/**
 * Where a text begins to hold too much of something, as an offset, and of what; null = it does not. One look at each
 * character, whatever they mean: quoted ones count too.
 */
export function tooMuchAt(text: string): { readonly offset: number; readonly what: string } | null {
  const counts: Record<Counted, number> = {
    lines: 0,
    documents: 0,
    colons: 0,
    commas: 0,
    tags: 0,
    anchors: 0,
    expressions: 0,
  };
  for (let i = 0; i < text.length; i++) {
    const c = text.charCodeAt(i);
    // Most characters are letters and white space, of which nothing is counted.
    if (c > 127 || LOOKED_AT[c] === 0) continue;
    const counted = countedBy(c, i === 0 ? NEWLINE : text.charCodeAt(i - 1), text, i);
    if (counted !== null && ++counts[counted] > MOST[counted][0]) return excess(counted, i);
  }
  for (const match of text.matchAll(EXPRESSION))
    if (++counts.expressions > MOST.expressions[0]) return excess('expressions', match.index);
  return null;
}

function excess(counted: Counted, offset: number): { readonly offset: number; readonly what: string } {
  const [most, what] = MOST[counted];
  return { offset, what: `more than ${most} ${what}` };
}

function countedBy(c: number, previous: number, text: string, at: number): Counted | null {
  switch (c) {
    case NEWLINE:
      return 'lines';
    case COLON:
      return 'colons';
    case COMMA:
      return 'commas';
    case BANG:
      return isBoundary(previous) ? 'tags' : null;
    case AMPERSAND:
    case STAR:
      return isBoundary(previous) ? 'anchors' : null;
    case DASH:
      return previous === NEWLINE && text.startsWith('---', at) ? 'documents' : null;
    default:
      return null;
  }
}

const NEWLINE = 10;
const COLON = 58;
const COMMA = 44;
const BANG = 33;
const AMPERSAND = 38;
const STAR = 42;
const DASH = 45;

const LOOKED_AT = new Uint8Array(128);
for (const c of [NEWLINE, COLON, COMMA, BANG, AMPERSAND, STAR, DASH]) LOOKED_AT[c] = 1;

/** White space, and what may stand before a value in a flow collection. */
function isBoundary(c: number): boolean {
  return c <= 32 || c === COMMA || c === 91 || c === 123 || c === COLON;
}
