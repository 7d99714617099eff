import { describe, expect, it } from 'vitest';
import { headTest } from '../../src/matching/match.js';
import type { FieldMatch, PathMatch, RouteMatch } from '../../src/model/route.js';
import { FieldBlock } from '../../src/proxy/codec/field-block.js';
import type { RequestHead } from '../../src/proxy/codec/message.js';

const ANY: RouteMatch = { path: { kind: 'prefix', value: '/', ignoreCase: false }, methods: [], fields: [], query: [] };

function head(target: string, ...fields: string[]): RequestHead {
  return { method: 'GET', target, host: 'reviews:9080', fields: FieldBlock.of(...fields) } as unknown as RequestHead;
}

const onPath = (kind: PathMatch['kind'], value: string, ignoreCase = false) => {
  const test = headTest({ ...ANY, path: { kind, value, ignoreCase } });
  return (target: string) => test(head(target));
};
const onField = (match: Partial<FieldMatch>) => {
  const whole: FieldMatch = { name: 'x-a', kind: 'exact', value: 'v', invert: false, missingAsEmpty: false, ...match };
  const test = headTest({ ...ANY, fields: [whole] });
  return (...fields: string[]) => test(head('/', ...fields));
};

describe('a path', () => {
  it.each<[PathMatch['kind'], string, string[], string[]]>([
    ['prefix', '/', ['/', '/a', '/?b'], []],
    ['prefix', '/v2', ['/v2', '/v2/', '/v2/x', '/v2example', '/v2?a=1'], ['/', '/v1', '/V2', '/x/v2']],
    ['segments', '/v2', ['/v2', '/v2/', '/v2/x', '/v2?a=1'], ['/v2example', '/v', '/V2']],
    ['segments', '/v2/', ['/v2', '/v2/', '/v2/x'], ['/v2example']],
    ['segments', '/', ['/', '/a'], []],
    ['exact', '/v2', ['/v2', '/v2?a=1'], ['/v2/', '/v2/x', '/v']],
    ['exact', '/', ['/', '/?a'], ['/a']],
    ['regex', '/item/[0-9]+', ['/item/7', '/item/77?x=1'], ['/item/', '/item/7/x', '/a/item/7']],
    ['regex', '.*', ['/', '/a?b'], []],
  ])('%s %s', (kind, value, met, unmet) => {
    const test = onPath(kind, value);
    expect(met.filter((target) => !test(target))).toEqual([]);
    expect(unmet.filter((target) => test(target))).toEqual([]);
  });

  it('may be met whatever its case', () => {
    expect(onPath('prefix', '/Api', true)('/aPI/x')).toBe(true);
    expect(onPath('exact', '/Api', true)('/api')).toBe(true);
    expect(onPath('segments', '/Api', true)('/API/x')).toBe(true);
    expect(onPath('regex', '/item/[a-z]+', true)('/ITEM/X')).toBe(true);
  });

  it('costs no more than its length, however evil the expression', () => {
    const test = onPath('regex', '/(a+)+(b|c)*$');
    const started = performance.now();
    expect(test(`/${'a'.repeat(8_000)}!`)).toBe(false);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  it('with an expression that is none is refused by its words', () => {
    for (const value of ['(', '(?=a)', 'x'.repeat(1_025)]) expect(() => onPath('regex', value)).toThrow(/expression/);
  });
});

describe('a field', () => {
  it.each<[Partial<FieldMatch>, string[][], string[][]]>([
    [
      {},
      [
        ['x-a', 'v'],
        ['x-a', 'w', 'x-a', 'v'],
      ],
      [[], ['x-a', 'w'], ['x-a', 'v,w'], ['x-b', 'v']],
    ],
    [{ kind: 'prefix' }, [['x-a', 'vw']], [['x-a', 'wv'], []]],
    [{ kind: 'suffix' }, [['x-a', 'wv']], [['x-a', 'vw'], []]],
    [{ kind: 'contains' }, [['x-a', 'avb']], [['x-a', 'ab'], []]],
    [{ kind: 'regex', value: 'v[0-9]' }, [['x-a', 'v1']], [['x-a', 'v12'], ['x-a', 'av1'], []]],
    [
      { kind: 'present' },
      [
        ['x-a', ''],
        ['x-a', 'w'],
      ],
      [[]],
    ],
    [{ kind: 'present', invert: true }, [[]], [['x-a', '']]],
    [
      { invert: true },
      [['x-a', 'w']],
      // A field that is not there has no value to differ (Envoy); where it shall count as empty, it is said.
      [[], ['x-a', 'v'], ['x-a', 'w', 'x-a', 'v']],
    ],
    [{ kind: 'regex', value: '.*', invert: true, missingAsEmpty: true }, [], [[], ['x-a', 'w']]],
    [{ kind: 'exact', value: '', missingAsEmpty: true }, [[], ['x-a', '']], [['x-a', 'v']]],
  ])('%j', (match, met, unmet) => {
    const test = onField(match);
    expect(met.filter((fields) => !test(...fields))).toEqual([]);
    expect(unmet.filter((fields) => test(...fields))).toEqual([]);
  });

  it('may be the authority, the method or the whole target', () => {
    expect(onField({ name: ':authority', value: 'reviews:9080' })()).toBe(true);
    expect(onField({ name: 'host', kind: 'prefix', value: 'reviews' })()).toBe(true);
    expect(onField({ name: ':method', value: 'POST' })()).toBe(false);
  });
});

describe('a query', () => {
  const onQuery = (value: string) => headTest({ ...ANY, query: [{ name: 'a', kind: 'exact', value }] });

  it.each([
    ['/?a=1', true],
    ['/?b=2&a=1', true],
    ['/?a=1&a=2', true],
    ['/?a=2&a=1', false],
    ['/?a', false],
    ['/?aa=1', false],
    ['/?a=%31', false],
    ['/', false],
    ['/a=1', false],
  ])('%s', (target, met) => {
    expect(onQuery('1')(head(target))).toBe(met);
  });

  it('may be there without a value', () => {
    expect(onQuery('')(head('/?a'))).toBe(true);
    expect(onQuery('')(head('/?a='))).toBe(true);
    const present = headTest({ ...ANY, query: [{ name: 'a', kind: 'present', value: '' }] });
    expect([present(head('/?a')), present(head('/?b'))]).toEqual([true, false]);
  });
});

describe('a match', () => {
  it('holds when all of it holds', () => {
    const test = headTest({
      path: { kind: 'prefix', value: '/a', ignoreCase: false },
      methods: ['GET', 'HEAD'],
      fields: [{ name: 'x-a', kind: 'present', value: '', invert: false, missingAsEmpty: false }],
      query: [{ name: 'q', kind: 'exact', value: '1' }],
    });
    expect(test(head('/a?q=1', 'x-a', ''))).toBe(true);
    for (const other of [head('/b?q=1', 'x-a', ''), head('/a?q=2', 'x-a', ''), head('/a?q=1')])
      expect(test(other)).toBe(false);
    expect(test({ ...head('/a?q=1', 'x-a', ''), method: 'POST' } as RequestHead)).toBe(false);
  });
});
