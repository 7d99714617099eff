import { describe, expect, it } from 'vitest';
import { KINDS } from '../../src/resources/kinds.js';
import { readResources } from '../../src/resources/read.js';
import { shapeOf } from '../../src/yaml/readers.js';
import type { Shape } from '../../src/yaml/shape.js';

/** A place in a kind where a value of the wrong type is put. */
interface Place {
  readonly path: readonly (string | 0)[];
  readonly wrong: unknown;
}

/** Every field that a shape has, down to a depth, with something that it cannot be. */
function placesOf(shape: Shape, path: Place['path'] = [], depth = 0): Place[] {
  if (depth > 7) return [];
  const below = (of: Shape, key: string | 0) => placesOf(of, [...path, key], depth + 1);
  switch (shape.kind) {
    case 'table':
      return [{ path, wrong: 'wrong' }, ...Object.entries(shape.fields).flatMap(([key, of]) => below(of, key))];
    case 'record':
      return [{ path, wrong: 'wrong' }, ...below(shape.of, 'name')];
    case 'list':
      return [{ path, wrong: 'wrong' }, ...below(shape.of, 0)];
    case 'number':
    case 'flag':
      return [{ path, wrong: 'wrong' }];
    case 'text':
      return [{ path, wrong: { wrong: 'wrong' } }];
    default:
      return [];
  }
}

function valueAt(path: Place['path'], wrong: unknown): unknown {
  return path.reduceRight<unknown>((value, key) => (key === 0 ? [value] : { [key]: value }), wrong);
}

describe('a value of a wrong type is told with its line, wherever it stands', () => {
  it.each(KINDS.map((kind) => [`${kind.dialect} ${kind.kind}`, kind] as const))('%s', (_, kind) => {
    const apiVersion = [kind.group, kind.versions[0]].filter((part) => part !== '').join('/');
    const places = placesOf(shapeOf(kind.spec));
    const silent = places.filter(({ path, wrong }) => {
      const spec = valueAt(path, wrong);
      const body = kind.body === 'spec' ? { spec } : (spec as object);
      if (typeof body !== 'object') return false;
      const whole = { apiVersion, kind: kind.kind, metadata: { name: 'a' }, ...body };
      const text = JSON.stringify(whole, null, 1);
      const { findings } = readResources([{ name: 'f.yaml', text }], 0);
      const lines = text.split('\n');
      const line = lines.findIndex((one) => one.includes('wrong')) + 1;
      const near = typeof wrong === 'object' ? [line - 1, line] : [line];
      return !findings.some(({ level, source }) => level === 'error' && near.includes(source?.line ?? 0));
    });
    expect(silent.map(({ path }) => path.join('.'))).toEqual([]);
  });

  it('of many in one list, each', () => {
    const text = `kind: List
apiVersion: v1
items:
- apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata: { name: a }
  spec:
    host: reviews
    subsets: { name: v1 }
- apiVersion: networking.istio.io/v1
  kind: DestinationRule
  metadata: { name: b }
  spec: { host: reviews }
- apiVersion: consul.hashicorp.com/v1alpha1
  kind: ServiceIntentions
  metadata: { name: c }
  spec:
    destination: { name: reviews }
    sources:
    - { name: web, action: deny }
    - batch
`;
    const { resources, findings } = readResources([{ name: 'f.yaml', text }], 0);
    expect(resources.map(({ name }) => name)).toEqual(['b']);
    expect(findings.map(({ source, message }) => [source?.line, message])).toEqual([
      [9, 'spec.subsets must be a list'],
      [21, 'spec.sources[1] must be a mapping (key: value)'],
    ]);
  });

  it('null is as if not written', () => {
    const text = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: a, labels: null }
spec: { hosts: [ reviews ], gateways: null, http: [ { match: null, name: null, route: [ { destination: { host: reviews, subset: null } } ] } ] }
`;
    const { resources, findings } = readResources([{ name: 'f.yaml', text }], 0);
    expect([resources.length, findings]).toEqual([1, []]);
  });

  it.each(['[ { kind: Service } ]', 'hello', '- a\n- b'])('a document that is no mapping: %s', (text) => {
    const { findings } = readResources([{ name: 'f.yaml', text }], 0);
    expect(findings.map(({ level, source }) => [level, source?.line])).toEqual([['error', 1]]);
  });
});
