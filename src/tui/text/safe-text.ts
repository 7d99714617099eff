/**
 * Text that may go to a terminal: every character is printable, one cell wide and cannot steer the terminal. So its
 * width is its length, and a request path with an escape sequence in it is only odd to look at, never obeyed.
 */
export type SafeText = string & { readonly safe: unique symbol };

const PRINTABLE_ASCII = /^[\x20-\x7e]*$/;

/** Symbols the screens draw with; all in the basic plane and one cell wide in every terminal that was measured. */
const SYMBOLS = new Set('✓✗●○▸↻→↑↓│─├└┌┐┘┬┴█░·…–—‘’“”−×≥≤');

/** What stands for a symbol where only ASCII can be shown. */
const IN_ASCII: Readonly<Record<string, string>> = {
  '±': '+-',
  '→': '->',
  '↑': 'up',
  '↓': 'down',
  '…': '...',
  '–': '-',
  '—': '-',
  '−': '-',
  '×': 'x',
  µ: 'u',
  '·': '.',
  '‘': "'",
  '’': "'",
  '“': '"',
  '”': '"',
  '✓': '+',
  '✗': 'x',
};

/** The one way from any string to {@link SafeText}. Control characters become `\xNN`, everything doubtful becomes `?`. */
export function safe(text: string, ascii: boolean): SafeText {
  if (PRINTABLE_ASCII.test(text)) return text as SafeText;
  let result = '';
  for (const char of text) result += safeChar(char, ascii);
  return result as SafeText;
}

function safeChar(char: string, ascii: boolean): string {
  const code = char.codePointAt(0) ?? 0;
  if (code < 0x20 || (code >= 0x7f && code <= 0x9f)) return `\\x${code.toString(16).padStart(2, '0')}`;
  if (code < 0x7f) return char;
  if (ascii) return IN_ASCII[char] ?? '?';
  return isNarrowLetter(code) || SYMBOLS.has(char) ? char : '?';
}

/** Latin, Greek and Cyrillic without the soft hyphen and combining marks: left to right, one cell. */
function isNarrowLetter(code: number): boolean {
  if (code >= 0xa1 && code <= 0x24f) return code !== 0xad;
  if (code >= 0x391 && code <= 0x3c9) return code !== 0x3a2;
  return code >= 0x400 && code <= 0x45f;
}
