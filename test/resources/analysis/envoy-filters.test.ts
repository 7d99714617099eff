import { describe, expect, it } from 'vitest';
import { envoyFilter, told } from './told.js';

const CODES = 'IST0151 IST0152 IST0153 IST0154 IST0155';
const VERSION = 'match: { proxy: { proxyVersion: ^1\\.20.* } }, ';
const patch = (operation: string, applyTo: string, more = '', name = 'x') =>
  `{ applyTo: ${applyTo}, ${more}patch: { operation: ${operation}, value: { name: ${name} } } }`;
const filter = (patches: string, more = '') => envoyFilter('name: a', `{ ${more}configPatches: [ ${patches} ] }`);

describe('patches of EnvoyFilters', () => {
  it.each([
    ['INSERT_BEFORE', 'HTTP_FILTER', '', 'IST0151 warning'],
    ['INSERT_BEFORE', 'HTTP_FILTER', 'priority: 10, ', null],
    ['INSERT_AFTER', 'HTTP_FILTER', 'priority: 0, ', 'IST0151 warning'],
    ['MERGE', 'CLUSTER', '', 'IST0151 warning'],
    ['REMOVE', 'HTTP_FILTER', '', 'IST0151 warning'],
    ['INSERT_FIRST', 'HTTP_FILTER', '', null],
    ['ADD', 'CLUSTER', '', null],
    ['REPLACE', 'NETWORK_FILTER', '', 'IST0151 warning'],
    ['REPLACE', 'NETWORK_FILTER', 'priority: -5, ', null],
    ['REPLACE', 'CLUSTER', 'priority: 10, ', 'IST0152 error'],
    ['ADD', 'HTTP_ROUTE', '', 'IST0153 error'],
    ['ADD', 'ROUTE_CONFIGURATION', '', 'IST0153 error'],
    ['REMOVE', 'ROUTE_CONFIGURATION', '', 'IST0154 error'],
  ])('%s at %s %s', (operation, applyTo, more, expected) => {
    expect(told(CODES, [filter(patch(operation, applyTo), more)])).toEqual(
      expected === null ? [] : [`${expected} EnvoyFilter default/a 4`],
    );
  });

  it('tells it of the second for a filter of which the first is for one version of the proxy', () => {
    const first = patch('INSERT_BEFORE', 'HTTP_FILTER', VERSION);
    const codes = (second: string) => told(CODES, [filter(`${first}, ${second}`)]).map((one) => one.slice(0, 7));
    expect(codes(patch('INSERT_BEFORE', 'HTTP_FILTER'))).toEqual(['IST0151', 'IST0155']);
    expect(codes(patch('INSERT_BEFORE', 'HTTP_FILTER', '', 'y'))).toEqual(['IST0151', 'IST0151']);
  });

  it('has no effect, and is told so once', () => {
    expect(told('MS0001 MS0002', [filter(patch('ADD', 'CLUSTER'))])).toEqual([
      'MS0002 warning EnvoyFilter default/a 1',
    ]);
  });
});
