import { RE2JS } from 're2js';
import type { LabelFilter } from '../../model/label-filter.js';
import { type Reader, reader } from '../../yaml/readers.js';
import { textShape } from '../../yaml/shape.js';

/**
 * Consul's filter expressions, as far as they ask for `Service.Meta`, which are a workload's labels here: `==`, `!=`, `in`,
 * `contains`, `matches`, `is empty`, with `and`, `or`, `not` and brackets. Null = an empty one, which chooses everybody.
 */
export const subsetFilter: Reader<LabelFilter | null> = reader(
  textShape('a filter expression, such as Service.Meta.version == v1'),
  (view, where, findings) => {
    const written = view.text(where);
    if (written === null) return undefined;
    if (written.trim() === '') return null;
    try {
      return new Parser(tokensOf(written)).whole();
    } catch (error) {
      if (error instanceof Unobeyed) {
        findings.unsupported(view.source, where, `${error.message}; nobody is in this subset`);
        return { kind: 'any', of: [] };
      } else
        findings.problem(
          view.source,
          `${where} is no filter expression: ${error instanceof Error ? error.message : error}`,
          'Service.Meta.version == v1',
        );
      return undefined;
    }
  },
);

/** A filter that Consul would take, and that labels cannot answer. */
class Unobeyed extends Error {}

interface Token {
  readonly text: string;
  /** Quoted: never a word of the language. */
  readonly literal: boolean;
}

const TOKEN = /\s*(?:("(?:[^"\\]|\\.)*"|`[^`]*`)|(==|!=|[()])|((?:\[(?:"[^"]*"|`[^`]*`)\]|[^\s()"`=!])+))/y;

function tokensOf(expression: string): Token[] {
  const tokens: Token[] = [];
  const text = expression.trim();
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < text.length) {
    const at = TOKEN.lastIndex;
    const match = TOKEN.exec(text);
    if (match === null) throw new Error(`what is ${JSON.stringify(text.slice(at).trim())}?`);
    const [, quoted, sign, bare] = match;
    tokens.push(
      quoted === undefined
        ? { text: sign ?? bare ?? '', literal: false }
        : { text: quoted.slice(1, -1), literal: true },
    );
  }
  return tokens;
}

const OPERATORS = new Set(['==', '!=', 'in', 'not', 'contains', 'is', 'matches']);

/** `or` binds least, then `and`, then `not` (hashicorp/go-bexpr). */
class Parser {
  readonly #tokens: readonly Token[];
  #at = 0;

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens;
  }

  whole(): LabelFilter {
    const filter = this.#either();
    if (this.#at < this.#tokens.length) throw new Error(`${this.#next().text} stands where nothing was expected`);
    return filter;
  }

  #either(): LabelFilter {
    const of = [this.#both()];
    while (this.#skip('or')) of.push(this.#both());
    return of.length === 1 ? (of[0] as LabelFilter) : { kind: 'any', of };
  }

  #both(): LabelFilter {
    const of = [this.#one()];
    while (this.#skip('and')) of.push(this.#one());
    return of.length === 1 ? (of[0] as LabelFilter) : { kind: 'all', of };
  }

  #one(): LabelFilter {
    if (this.#skip('not')) return { kind: 'not', of: this.#one() };
    if (!this.#skip('(')) return this.#comparison();
    const inner = this.#either();
    if (!this.#skip(')')) throw new Error('a bracket is not closed');
    return inner;
  }

  #comparison(): LabelFilter {
    const left = this.#next().text;
    const operator = this.#next();
    if (operator.literal || !OPERATORS.has(operator.text)) throw new Error(`${operator.text} is no operator`);
    switch (operator.text) {
      case '==':
        return { kind: 'equals', label: labelOf(left), value: this.#next().text };
      case '!=':
        return { kind: 'not', of: { kind: 'equals', label: labelOf(left), value: this.#next().text } };
      case 'is':
        return this.#emptiness(labelOf(left));
      case 'not':
        return { kind: 'not', of: this.#membership(left, this.#next().text) };
      default:
        return this.#membership(left, operator.text);
    }
  }

  #emptiness(label: string): LabelFilter {
    const not = this.#skip('not');
    if (!this.#skip('empty')) throw new Error('is empty, or is not empty');
    return not ? { kind: 'filled', label } : { kind: 'not', of: { kind: 'filled', label } };
  }

  /** In a map it is about keys, in a text about a part of it. */
  #membership(left: string, operator: string): LabelFilter {
    const right = this.#next().text;
    if (operator === 'matches') return { kind: 'matches', label: labelOf(left), value: expressionOf(right) };
    if (operator !== 'in' && operator !== 'contains') throw new Error(`${operator} is no operator`);
    const [selector, value] = operator === 'in' ? [right, left] : [left, right];
    return selector === 'Service.Meta'
      ? { kind: 'present', label: value }
      : { kind: 'contains', label: labelOf(selector), value };
  }

  #next(): Token {
    const token = this.#tokens[this.#at++];
    if (token === undefined) throw new Error('it ends too early');
    return token;
  }

  #skip(word: string): boolean {
    const token = this.#tokens[this.#at];
    if (token === undefined || token.literal || token.text !== word) return false;
    this.#at++;
    return true;
  }
}

function expressionOf(written: string): string {
  try {
    RE2JS.compile(written);
    return written;
  } catch {
    throw new Error(`${JSON.stringify(written)} is no regular expression`);
  }
}

/** `Service.Meta.version`, `Service.Meta["version"]`: the label `version`. */
function labelOf(selector: string): string {
  const label = /^Service\.Meta(?:\.([\w-]+)|\[(?:"([^"]*)"|`([^`]*)`)\])$/.exec(selector);
  const name = label?.[1] ?? label?.[2] ?? label?.[3];
  if (name === undefined)
    throw new Unobeyed(`${selector} is not known here: workloads have Service.Meta, their labels`);
  return name;
}
