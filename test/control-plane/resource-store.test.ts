import { describe, expect, it } from 'vitest';
import { ResourceStore } from '../../src/control-plane/resources/store.js';

const route = (path: string): string => `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: { name: r }
spec:
  parentRefs: [ { group: "", kind: Service, name: a } ]
  rules: [ { matches: [ { path: { value: ${path} } } ], backendRefs: [ { name: b, port: 80 } ] } ]
`;

describe('resources keep count of their specs', () => {
  it('by what they say, not by how it is written, and over a restart', () => {
    const store = new ResourceStore([], 'istio');
    const apply = (text: string): number | undefined => {
      store.commit(store.planApply([{ name: 'r.yaml', text }], 1).next);
      return store.all[0]?.generation;
    };
    expect(apply(route('/a'))).toBe(1);
    expect(apply(`# a remark\n${route('/a')}`)).toBe(1);
    expect(apply(route('/b'))).toBe(2);
    const again = new ResourceStore(store.store(), 'istio');
    expect(again.all[0]?.generation).toBe(2);
  });
});
