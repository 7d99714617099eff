import { describe, expect, it } from 'vitest';
import { placement } from '../../src/compiler/locality.js';
import { ENDPOINT_DEFAULTS, type Endpoint } from '../../src/model/cluster.js';

const at = (locality: string, labels: Record<string, string> = {}) => ({
  labels,
  endpoint: { ...ENDPOINT_DEFAULTS, address: '', port: 1, workload: locality, version: '', locality },
});
const caller = (locality: string, labels: Record<string, string> = {}) => ({
  name: 'web-v1',
  app: 'web',
  namespace: 'default',
  labels,
  locality,
});
const NONE = { enabled: true, distribute: [], failover: [], failoverPriority: [] };
const prioritiesOf = (endpoints: readonly Endpoint[]) =>
  Object.fromEntries(endpoints.map(({ workload, priority }) => [workload, priority]));
const levels = (from: string, ...localities: string[]) =>
  prioritiesOf(
    placement(
      localities.map((one) => at(one)),
      caller(from),
      { settings: undefined, watched: true },
    ).endpoints,
  );

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

describe('what is said of places', () => {
  const all = ['eu/a', 'eu/b', 'us/a', 'asia/a'].map((one) => at(one));

  it('a region that is asked next goes before the others', () => {
    const settings = { ...NONE, failover: [{ from: 'eu', to: 'asia' }] };
    const { endpoints } = placement(all, caller('eu/a'), { settings, watched: true });
    expect(prioritiesOf(endpoints)).toEqual({ 'eu/a': 0, 'eu/b': 1, 'asia/a': 2, 'us/a': 3 });
  });

  it('switched off, and without a breaker, all are the same', () => {
    const off = placement(all, caller('eu/a'), { settings: { ...NONE, enabled: false }, watched: true });
    const unwatched = placement(all, caller('eu/a'), { settings: NONE, watched: false });
    for (const { endpoints } of [off, unwatched])
      expect(new Set(endpoints.map(({ priority }) => priority)).size).toBe(1);
  });

  it('shares hold for the place that they are about, by patterns, and leave out who has none', () => {
    const distribute = [{ from: 'eu/*', to: { 'eu/a': 70, 'eu/b': 20, 'us/*': 10 } }];
    const { endpoints, localityWeights } = placement([...all, at('us/b')], caller('eu/b'), {
      settings: { ...NONE, distribute },
      watched: false,
    });
    expect(localityWeights).toEqual({ 'eu/a': 70, 'eu/b': 20, 'us/a': 5, 'us/b': 5 });
    expect(endpoints.map(({ workload }) => workload)).not.toContain('asia/a');
    const elsewhere = placement(all, caller('us/a'), { settings: { ...NONE, distribute }, watched: false });
    expect(elsewhere.localityWeights).toBeNull();
  });

  it('labels in a row say who is nearer', () => {
    const settings = { ...NONE, failoverPriority: ['topology.kubernetes.io/region', 'tier=gold', 'rack'] };
    const pods = [
      at('eu/a', { tier: 'gold', rack: '7' }),
      at('eu/b', { tier: 'gold', rack: '8' }),
      at('eu/c'),
      at('us/a', { tier: 'gold' }),
    ];
    const { endpoints } = placement(pods, caller('eu/z', { rack: '7' }), { settings, watched: true });
    expect(prioritiesOf(endpoints)).toEqual({ 'eu/a': 0, 'eu/b': 1, 'eu/c': 2, 'us/a': 3 });
  });
});
