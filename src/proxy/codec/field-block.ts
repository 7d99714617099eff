import type { FieldChanges } from '../../model/route.js';

const CR = 13;
const SP = 32;

/**
 * The end-to-end fields of one message head, as they came: one text and the places of names and values in it. What
 * nobody asks for is never cut out, and lines that nobody touched leave as they came, in one piece. Names are lower-case.
 */
export class FieldBlock {
  readonly #text: string;
  /** Per field: start and end of the name, start and end of the value. A removed field has -1 as its first. */
  readonly #spans: number[];
  /** Lines written behind those that came, as they go on the wire. */
  #added: string;

  constructor(text: string, spans: number[], added = '') {
    this.#text = text;
    this.#spans = spans;
    this.#added = added;
  }

  /** A block of our own: name, value, name, value, … */
  static of(...pairs: readonly string[]): FieldBlock {
    const block = new FieldBlock('', []);
    for (let i = 0; i < pairs.length; i += 2) block.append(pairs[i] as string, pairs[i + 1] as string);
    return block;
  }

  /** Value of the first line of a field, or undefined. */
  get(name: string): string | undefined {
    const spans = this.#spans;
    for (let i = 0; i < spans.length; i += 4) {
      if (this.#isNamed(i, name)) return this.#text.substring(spans[i + 2] as number, spans[i + 3] as number);
    }
    return this.#added === '' ? undefined : valueIn(this.#added, name);
  }

  /** Values of every line of a field, in their order. */
  all(name: string): string[] {
    const pairs = this.pairs();
    const values: string[] = [];
    for (let i = 0; i < pairs.length; i += 2) if (pairs[i] === name) values.push(pairs[i + 1] as string);
    return values;
  }

  /** True when any line of the field has exactly this value (Envoy compares duplicate lines one by one). */
  has(name: string, value: string): boolean {
    const spans = this.#spans;
    for (let i = 0; i < spans.length; i += 4) {
      const start = spans[i + 2] as number;
      const fits = (spans[i + 3] as number) - start === value.length && this.#isNamed(i, name);
      if (fits && this.#text.startsWith(value, start)) return true;
    }
    return this.#added !== '' && `\r\n${this.#added}`.includes(`\r\n${name}: ${value}\r\n`);
  }

  /** The same fields, to be changed without changing these. */
  clone(): FieldBlock {
    return new FieldBlock(this.#text, [...this.#spans], this.#added);
  }

  /** Adds a line behind all others. */
  append(name: string, value: string): void {
    this.#added += `${name}: ${value}\r\n`;
  }

  /** Puts one line in the place of every line of a field. */
  set(name: string, value: string): void {
    this.remove(name);
    this.append(name, value);
  }

  /** Removes every line of a field. */
  remove(name: string): void {
    const spans = this.#spans;
    for (let i = 0; i < spans.length; i += 4) if (this.#isNamed(i, name)) spans[i] = -1;
    if (this.#added !== '' && valueIn(this.#added, name) !== undefined) {
      this.#added = this.#added
        .split(/(?<=\r\n)/)
        .filter((line) => !line.startsWith(`${name}: `))
        .join('');
    }
  }

  /** Removes, sets and adds, in this order (Envoy's). */
  change({ remove, set, add }: FieldChanges): void {
    for (const name of remove) this.remove(name);
    for (const [name, value] of set) this.set(name, value);
    for (const [name, value] of add) this.append(name, value);
  }

  /**
   * Removes every line that came whose name begins with `first` (one character) and for which `unwanted` says so. Lines
   * added here stay.
   */
  removeWhere(first: string, unwanted: (name: string) => boolean): void {
    const spans = this.#spans;
    const code = first.charCodeAt(0);
    for (let i = 0; i < spans.length; i += 4) {
      const start = spans[i] as number;
      if (start < 0 || this.#text.charCodeAt(start) !== code) continue;
      if (unwanted(this.#text.substring(start, spans[i + 1] as number))) spans[i] = -1;
    }
  }

  /** Name, value, name, value, … of what is there now. */
  pairs(): string[] {
    const pairs: string[] = [];
    for (const line of this.lines().split('\r\n')) {
      const colon = line.indexOf(': ');
      if (colon > 0) pairs.push(line.slice(0, colon), line.slice(colon + 2));
    }
    return pairs;
  }

  get isEmpty(): boolean {
    return this.lines() === '';
  }

  /** All lines as they go on the wire, each with its CRLF. Neighbours that came canonical are copied as one run. */
  lines(): string {
    const text = this.#text;
    const spans = this.#spans;
    let out = '';
    let from = 0;
    let to = -1;
    for (let i = 0; i < spans.length; i += 4) {
      const start = spans[i] as number;
      if (start < 0) continue;
      const valueEnd = spans[i + 3] as number;
      const canonical = this.#isCanonical(i, valueEnd);
      if (canonical && start === to) {
        to = valueEnd + 2;
        continue;
      }
      if (to > 0) out += text.substring(from, to);
      from = start;
      to = canonical ? valueEnd + 2 : -1;
      if (!canonical) out += this.#written(i);
    }
    if (to > 0) out += text.substring(from, to);
    return out + this.#added;
  }

  #isNamed(i: number, name: string): boolean {
    const start = this.#spans[i] as number;
    if (start < 0 || (this.#spans[i + 1] as number) - start !== name.length) return false;
    return this.#text.startsWith(name, start);
  }

  /** `name: value` with one space in between and none behind. */
  #isCanonical(i: number, valueEnd: number): boolean {
    const nameEnd = this.#spans[i + 1] as number;
    if ((this.#spans[i + 2] as number) !== nameEnd + 2) return false;
    return this.#text.charCodeAt(nameEnd + 1) === SP && this.#text.charCodeAt(valueEnd) === CR;
  }

  #written(i: number): string {
    const [start, end, valueStart, valueEnd] = this.#spans.slice(i, i + 4);
    return `${this.#text.substring(start as number, end)}: ${this.#text.substring(valueStart as number, valueEnd)}\r\n`;
  }
}

/** Value of the first line `name: …` in lines of our own, or undefined. */
function valueIn(lines: string, name: string): string | undefined {
  const head = `${name}: `;
  let at = lines.startsWith(head) ? 0 : lines.indexOf(`\r\n${head}`) + 2;
  if (at === 1) return undefined;
  at += head.length;
  return lines.slice(at, lines.indexOf('\r\n', at));
}
