import { describe, expect, it } from 'vitest';
import type { InboundRoute } from '../../../src/model/inbound-route.js';
import { EVERYTHING } from '../../../src/model/route.js';
import { inboundTable } from '../../../src/proxy/routing/inbound-route.js';

const ROUTE: InboundRoute = {
  name: 'r',
  match: EVERYTHING,
  requestFields: null,
  redirect: null,
  origin: { object: 'HTTPRoute default/r', rule: 0, match: 0, source: { file: 'a.yaml', line: 1, column: 1 } },
};
const REDIRECT = { kind: 'redirect', status: 302, scheme: null, host: null, port: null } as const;

describe('routes of a callee', () => {
  it('are none where nobody says any', () => {
    expect(inboundTable(undefined)).toBeNull();
    expect(inboundTable({ 80: [ROUTE] })?.size).toBe(1);
  });

  it.each<[string, Partial<InboundRoute>]>([
    ['a field that cannot be written', { requestFields: { remove: [], set: [['a', 'b\r\nc: d']], add: [] } }],
    ['a host that is none', { host: 'a b' }],
    ['a path that is none', { redirect: { ...REDIRECT, path: { kind: 'full', value: '/a\nb' } } }],
    [
      'an expression that is none',
      { match: { ...EVERYTHING, path: { kind: 'regex', value: '(', ignoreCase: false } } },
    ],
  ])('are refused by name for %s', (_, more) => {
    expect(() => inboundTable({ 80: [{ ...ROUTE, ...more }] })).toThrow('the route r: ');
  });
});
