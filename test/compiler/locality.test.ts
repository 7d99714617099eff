import { describe, expect, it } from 'vitest';
import { byDistance } from '../../src/compiler/locality.js';
import { ENDPOINT_DEFAULTS } from '../../src/model/cluster.js';

const at = (locality: string) => ({
  ...ENDPOINT_DEFAULTS,
  address: '',
  port: 1,
  workload: locality,
  version: '',
  locality,
});
const levels = (from: string, ...localities: string[]) =>
  Object.fromEntries(byDistance(from, localities.map(at)).map(({ workload, priority }) => [workload, priority]));

describe('failover between places (Istio)', () => {
  it('asks the own sub-zone first, then the zone, the region, the rest', () => {
    expect(levels('eu/a/1', 'us/a/1', 'eu/b/1', 'eu/a/2', 'eu/a/1')).toEqual({
      'eu/a/1': 0,
      'eu/a/2': 1,
      'eu/b/1': 2,
      'us/a/1': 3,
    });
  });

  it('leaves no level empty', () => {
    expect(levels('eu/a', 'us/a', 'eu/b')).toEqual({ 'eu/b': 0, 'us/a': 1 });
  });

  it('takes what is not said for the same on both sides, and for different on one', () => {
    expect(levels('eu', 'eu', 'eu/a')).toEqual({ eu: 0, 'eu/a': 1 });
    expect(levels('eu/a', '')).toEqual({ '': 0 });
  });
});
