import { describe, expect, it } from 'vitest';
import { ByteNames } from '../../../src/proxy/codec/byte-names.js';
import { FieldBlock } from '../../../src/proxy/codec/field-block.js';
import { DEFAULT_LIMITS } from '../../../src/proxy/codec/fields.js';
import { parseRequestHead } from '../../../src/proxy/codec/request-head.js';
import { type Chance, forChance } from '../../support/chance.js';

const NAMES = ['x-a', 'x-b', 'x-envoy-attempt', 'accept', 'cookie', 'x-a-longer-name'];
const VALUES = ['', 'v', 'two words', 'a: b', 'x-a: v', 'a;b="c"', ','];
/** Blanks around a value, as a peer may write them. */
const BLANKS = ['', ' ', '  ', '\t'];

type Pair = readonly [name: string, value: string];

/** A block as the parser makes it from what came, and the plain list that it must behave like. */
function arrived(chance: Chance): { block: FieldBlock; model: Pair[] } {
  const model: Pair[] = [];
  let text = 'GET / HTTP/1.1\r\nHost: a\r\n';
  for (let i = chance.below(8); i > 0; i--) {
    const [name, value] = [chance.of(NAMES), chance.of(VALUES)];
    const spelled = chance.below(2) === 0 ? name : name.toUpperCase();
    text += `${spelled}:${chance.of(BLANKS)}${value}${chance.of(BLANKS)}\r\n`;
    model.push([name, value]);
  }
  const buffer = Buffer.from(`${text}\r\n`, 'latin1');
  return { block: parseRequestHead(buffer, 0, buffer.length, DEFAULT_LIMITS).fields, model };
}

function listed(block: FieldBlock): Pair[] {
  const flat = block.pairs();
  return flat.flatMap((name, i) => (i % 2 === 0 ? [[name, flat[i + 1] as string] as const] : []));
}

describe('a field block', () => {
  it('behaves like the list of its lines, whatever is done to it', () => {
    forChance(400, (chance) => {
      const { block, model } = arrived(chance);
      let list = model;
      for (let i = chance.below(10); i > 0; i--) {
        const [name, value] = [chance.of(NAMES), chance.of(VALUES)];
        switch (chance.below(4)) {
          case 0:
            block.append(name, value);
            list = [...list, [name, value]];
            break;
          case 1:
            block.set(name, value);
            list = [...list.filter(([other]) => other !== name), [name, value]];
            break;
          case 2:
            block.remove(name);
            list = list.filter(([other]) => other !== name);
            break;
          default:
            expect(block.get(name)).toBe(list.find(([other]) => other === name)?.[1]);
            expect(block.has(name, value)).toBe(list.some((pair) => pair[0] === name && pair[1] === value));
        }
      }
      expect(listed(block)).toEqual(list);
      expect(block.lines()).toBe(list.map(([name, value]) => `${name}: ${value}\r\n`).join(''));
      expect(block.isEmpty).toBe(list.length === 0);
    });
  });

  it('loses by prefix only what came, and only what is unwanted', () => {
    const buffer = Buffer.from('GET / HTTP/1.1\r\nHost: a\r\nX-Envoy-A: 1\r\nAccept: b\r\nX-B: 2\r\n\r\n');
    const { fields } = parseRequestHead(buffer, 0, buffer.length, DEFAULT_LIMITS);
    fields.append('x-envoy-own', '3');
    fields.removeWhere('x', (name) => name.startsWith('x-envoy-'));
    expect(fields.lines()).toBe('accept: b\r\nx-b: 2\r\nx-envoy-own: 3\r\n');
  });

  it('never takes a name out of the middle of another line', () => {
    const block = FieldBlock.of('x-note', 'accept: none', 'xaccept', '1');
    expect(block.get('accept')).toBeUndefined();
    expect(block.has('accept', 'none')).toBe(false);
    block.remove('accept');
    expect(block.pairs()).toEqual(['x-note', 'accept: none', 'xaccept', '1']);
  });
});

describe('names found by their bytes', () => {
  it('are those of the set, at any place, and no others', () => {
    const names = new ByteNames(NAMES.map((name, i) => [name, i] as const));
    forChance(400, (chance) => {
      const word = chance.of([...NAMES, 'x-c', 'x', '', 'acceptt', 'x-a-longer-namf', 'x-a-longer-name-still']);
      const before = 'y'.repeat(chance.below(4));
      const buffer = Buffer.from(`${before}${word}z`);
      const at = NAMES.indexOf(word);
      expect(names.find(buffer, before.length, before.length + word.length)).toBe(at < 0 ? undefined : at);
    });
  });
});
