import { describe, expect, it } from 'vitest';
import { portRoutes } from '../../src/compiler/port-access.js';
import type { InboundRoute } from '../../src/model/inbound-route.js';
import type { PortAccess } from '../../src/model/policies.js';
import { EVERYTHING } from '../../src/model/route.js';

const source = { file: 'a.yaml', line: 1, column: 1 };
const route = (name: string): InboundRoute => ({
  name,
  match: EVERYTHING,
  requestFields: { remove: ['a'], set: [], add: [] },
  redirect: null,
  origin: { object: `HTTPRoute default/${name}`, rule: 0, match: 0, source },
});
const access = (name: string, more: Partial<PortAccess>): PortAccess => ({
  object: { kind: 'Server', namespace: 'default', name, source },
  selector: null,
  port: null,
  precedence: 0,
  created: 0,
  rules: [],
  ...more,
});
const PORTS = [80, 81, 82].map((port) => ({ port, protocol: 'http' as const }));

describe('routes of a port', () => {
  it('are those of the one policy that holds there, and absent where there are none', () => {
    const policies = [
      access('all', { routes: [route('all')] }),
      access('younger', { port: 81, precedence: 2, created: 2, routes: [route('younger')] }),
      access('older', { port: 81, precedence: 2, created: 1, routes: [route('older')] }),
      access('silent', { port: 82, precedence: 2 }),
    ];
    const { routes = {} } = portRoutes(policies, PORTS);
    expect(Object.entries(routes).map(([port, own]) => [port, own.map(({ name }) => name)])).toEqual([
      ['80', ['all']],
      ['81', ['older']],
    ]);
    expect(portRoutes([access('silent', {})], PORTS)).toEqual({});
  });
});
