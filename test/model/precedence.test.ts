import { describe, expect, it } from 'vitest';
import { bySpecificity } from '../../src/model/precedence.js';
import type { FieldMatch, PathMatch, RouteMatch } from '../../src/model/route.js';

const any: RouteMatch = {
  path: { kind: 'prefix', value: '/', ignoreCase: false },
  methods: [],
  fields: [],
  query: [],
};
const path = (kind: PathMatch['kind'], value: string): Partial<RouteMatch> => ({
  path: { kind, value, ignoreCase: false },
});
const field = (name: string): FieldMatch => ({ kind: 'exact', value: 'x', name, invert: false, missingAsEmpty: false });

/** Names of the routes in the order in which they are asked. */
function order(routes: Readonly<Record<string, Partial<RouteMatch>>>): string[] {
  const given = Object.entries(routes).map(([name, match]) => ({ route: { name, match: { ...any, ...match } } }));
  return bySpecificity(given).map(({ route }) => route.name);
}

describe('the most specific route first (Gateway API)', () => {
  it('goes by path kind, then by the length of a prefix of either kind', () => {
    expect(
      order({
        short: path('segments', '/v2'),
        text: path('prefix', '/v2/long'),
        regex: path('regex', '/.*'),
        long: path('segments', '/v2/longer'),
        exact: path('exact', '/v'),
        silent: path('prefix', ''),
      }),
    ).toEqual(['exact', 'long', 'text', 'short', 'regex', 'silent']);
  });

  it('then by method, headers and query parameters, each before the next', () => {
    const query = [{ kind: 'exact', value: '1', name: 'a' } as const];
    expect(
      order({
        query: { query },
        two: { fields: [field('a'), field('b')] },
        one: { fields: [field('a')], query },
        method: { methods: ['GET'] },
        nothing: {},
      }),
    ).toEqual(['method', 'two', 'one', 'query', 'nothing']);
  });

  it('and leaves equals as they were written', () => {
    expect(order({ b: { methods: ['GET', 'PUT'] }, a: { methods: ['POST'] } })).toEqual(['b', 'a']);
  });
});
