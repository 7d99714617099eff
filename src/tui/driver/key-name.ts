/** A key press as blessed reports it. */
export interface RawKey {
  readonly name?: string;
  readonly full?: string;
  readonly sequence?: string;
}

/** Blessed reports the enter key twice, as `enter` and as `return`. */
const NAMES: Readonly<Record<string, string | null>> = { return: null, linefeed: 'enter', ' ': 'space' };

/** The name the key table knows; null = not a key of its own. */
export function keyName(character: string | undefined, key: RawKey): string | null {
  const printable = character !== undefined && /^[\x21-\x7e]$/.test(character);
  const name = printable ? character : (key.full ?? key.name ?? character ?? '');
  const known = NAMES[name];
  if (known !== undefined) return known;
  return name === '' ? null : name;
}
