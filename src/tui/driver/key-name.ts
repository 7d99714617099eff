/** A key press as blessed reports it. */
export interface RawKey {
  readonly name?: string;
  readonly full?: string;
  readonly sequence?: string;
}

/** Blessed reports the enter key twice, as `enter` and as `return`. */
const NAMES: Readonly<Record<string, string | null>> = { return: null, linefeed: 'enter', ' ': 'space' };

/** Escape with a key right behind it looks like alt and that key; there are no alt keys here, so it was two. */
const QUICK_ESCAPE = /^M-(S-)?([ -~])$/;

/** The names the key table knows; none = not a key of its own. */
export function keyNames(character: string | undefined, key: RawKey): readonly string[] {
  const [, shift, behind] = QUICK_ESCAPE.exec(key.full ?? '') ?? [];
  if (behind !== undefined)
    return ['escape', nameOf(shift === undefined ? behind : behind.toUpperCase(), {}) ?? behind];
  const name = nameOf(character, key);
  return name === null ? [] : [name];
}

function nameOf(character: string | undefined, key: RawKey): string | null {
  const printable = character !== undefined && /^[\x21-\x7e]$/.test(character);
  const name = printable ? character : (key.full ?? key.name ?? character ?? '');
  const known = NAMES[name];
  if (known !== undefined) return known;
  return name === '' ? null : name;
}
