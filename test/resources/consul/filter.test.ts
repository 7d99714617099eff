import { describe, expect, it } from 'vitest';
import { belongs } from '../../../src/model/policies.js';
import { policiesOf } from '../../../src/resources/policies.js';
import { readResources } from '../../../src/resources/read.js';

/** Which of three workloads a filter chooses. */
function chosen(filter: string): string {
  const text = `apiVersion: consul.hashicorp.com/v1alpha1\nkind: ServiceResolver\nmetadata: { name: web }\nspec: { subsets: { s: { filter: ${JSON.stringify(filter)} } } }`;
  const { resources, findings } = readResources([{ name: 'r.yaml', text }], 0);
  expect(findings).toEqual([]);
  const subset = policiesOf(resources).destinations[0]?.subsets[0];
  if (subset === undefined) throw new Error('there is no subset');
  const workloads = { a: { version: 'v1' }, b: { version: 'v2', tier: 'gold' }, c: { tier: '' } };
  return Object.entries(workloads)
    .filter(([, labels]) => belongs(subset, labels as Record<string, string>))
    .map(([name]) => name)
    .join('');
}

describe('a filter of a subset', () => {
  it.each([
    ['', 'abc'],
    ['Service.Meta.version == v1', 'a'],
    ['Service.Meta.version == "v1"', 'a'],
    ['Service.Meta["version"]==v2', 'b'],
    ['Service.Meta.version != v1', 'bc'],
    ['v in Service.Meta.version', 'ab'],
    ['2 not in Service.Meta.version', 'ac'],
    ['Service.Meta.version contains 2', 'b'],
    ['"tier" in Service.Meta', 'bc'],
    ['Service.Meta.tier is empty', 'ac'],
    ['Service.Meta.tier is not empty', 'b'],
    ['Service.Meta.version == v1 or Service.Meta.version == v2 and Service.Meta.tier == none', 'a'],
    ['(Service.Meta.version == v1 or Service.Meta.version == v2) and Service.Meta.tier == gold', 'b'],
    ['not Service.Meta.version == v1 and Service.Meta.tier == gold', 'b'],
  ])('%s', (filter, wanted) => {
    expect(chosen(filter)).toBe(wanted);
  });
});
