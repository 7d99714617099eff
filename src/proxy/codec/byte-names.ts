/**
 * A small fixed set of names, found by their bytes: no string is made, and nothing hashed, for a name that is not in it.
 * Names are ASCII; callers lower-case the bytes first where case does not matter.
 */
export class ByteNames<T> {
  readonly #byLength: (readonly { readonly bytes: Uint8Array; readonly value: T }[])[] = [];

  constructor(entries: readonly (readonly [name: string, value: T])[]) {
    for (const [name, value] of entries) {
      const entry = { bytes: Uint8Array.from(Buffer.from(name, 'latin1')), value };
      while (this.#byLength.length <= name.length) this.#byLength.push([]);
      this.#byLength[name.length] = [...(this.#byLength[name.length] ?? []), entry];
    }
  }

  /** The value of the name that `buffer[start, end)` spells, or undefined. */
  find(buffer: Uint8Array, start: number, end: number): T | undefined {
    const length = end - start;
    if (length >= this.#byLength.length) return undefined;
    const candidates = this.#byLength[length] as readonly { readonly bytes: Uint8Array; readonly value: T }[];
    for (let i = 0; i < candidates.length; i++) {
      const candidate = candidates[i] as { readonly bytes: Uint8Array; readonly value: T };
      if (spells(buffer, start, candidate.bytes)) return candidate.value;
    }
    return undefined;
  }
}

function spells(buffer: Uint8Array, start: number, bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (buffer[start + i] !== bytes[i]) return false;
  return true;
}
