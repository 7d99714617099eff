import type { Balancing, Endpoint } from '../model/cluster.js';
import type { PlaceSettings } from '../model/policies.js';
import type { Caller } from './caller.js';

/** An endpoint and the labels of whoever stands there. */
export interface Placed {
  readonly endpoint: Endpoint;
  readonly labels: Readonly<Record<string, string>>;
}

/** Who is asked first, and the shares of places where they have any. */
export interface Placement {
  readonly endpoints: readonly Endpoint[];
  readonly localityWeights: Balancing['localityWeights'];
}

const ZONES = ['topology.kubernetes.io/region', 'topology.kubernetes.io/zone'];

/** What a service means that wants near endpoints asked first (Istio, of Kubernetes' `trafficDistribution`). */
export const NEAREST: Readonly<Record<'zone' | 'subzone', PlaceSettings>> = {
  zone: { enabled: true, distribute: [], failover: [], failoverPriority: ZONES },
  subzone: { enabled: true, distribute: [], failover: [], failoverPriority: [...ZONES, 'topology.istio.io/subzone'] },
};

/**
 * What a caller's place makes of the endpoints of a cluster. As in Istio: shares hold always, and nothing fails over that
 * is not watched.
 */
export function placement(
  placed: readonly Placed[],
  caller: Caller,
  { settings, watched }: { readonly settings: PlaceSettings | undefined; readonly watched: boolean },
): Placement {
  const plain: Placement = { endpoints: placed.map(({ endpoint }) => endpoint), localityWeights: null };
  if (settings?.enabled === false) return plain;
  const shares = settings?.distribute.find(({ from }) => isWithin(caller.locality, from))?.to;
  if (shares !== undefined) return byShares(plain.endpoints, shares);
  if (!watched) return plain;
  const labels = settings?.failoverPriority ?? [];
  if (labels.length > 0) return { ...plain, endpoints: ranked(placed, (one) => mismatches(labels, caller, one)) };
  if (caller.locality === '') return plain;
  const next = settings?.failover.find(({ from }) => from === caller.locality.split('/')[0])?.to;
  return { ...plain, endpoints: ranked(placed, ({ endpoint }) => distance(caller.locality, endpoint.locality, next)) };
}

/** `region/zone` lies within `region/*` and `region`; everything lies within `*`. */
function isWithin(locality: string, pattern: string): boolean {
  const [own, wanted] = [locality.split('/'), pattern.split('/')];
  return locality !== '' && wanted.every((part, i) => part === '*' || part === own[i]);
}

/** Endpoints at places without a share get nothing. Places that one pattern means divide its share by their endpoints. */
function byShares(endpoints: readonly Endpoint[], shares: Readonly<Record<string, number>>): Placement {
  const localityWeights: Record<string, number> = {};
  for (const [pattern, share] of Object.entries(shares)) {
    const meant = endpoints.filter(({ locality }) => isWithin(locality, pattern));
    for (const { locality } of meant)
      localityWeights[locality] = (localityWeights[locality] ?? 0) + share / meant.length;
  }
  return { endpoints: endpoints.filter(({ locality }) => (localityWeights[locality] ?? 0) > 0), localityWeights };
}

/** Levels that nobody is at are left out, so that they count 0, 1, 2, … */
function ranked(placed: readonly Placed[], rank: (one: Placed) => number): Endpoint[] {
  const levels = [...new Set(placed.map(rank))].sort((a, b) => a - b);
  return placed.map((one) => ({ ...one.endpoint, priority: levels.indexOf(rank(one)) }));
}

/** Parts of `region/zone/sub-zone` that two localities do not share from the left, 0 to 3; 4 where another region is next. */
function distance(from: string, to: string, nextRegion: string | undefined): number {
  const [a, b] = [from.split('/'), to.split('/')];
  let shared = 0;
  while (shared < 3 && (a[shared] ?? '') === (b[shared] ?? '')) shared++;
  return shared === 0 && nextRegion !== undefined && b[0] !== nextRegion ? 4 : 3 - shared;
}

/** Labels that are not the same, counted from the first that differs. */
function mismatches(labels: readonly string[], caller: Caller, { endpoint, labels: own }: Placed): number {
  const [here, there] = [withPlace(caller.labels, caller.locality), withPlace(own, endpoint.locality)];
  const differs = labels.findIndex((label) => {
    const [name = '', value] = label.split('=');
    return there[name] === undefined || there[name] !== (value ?? here[name]);
  });
  return differs < 0 ? 0 : labels.length - differs;
}

/** Kubernetes knows a place by labels. */
function withPlace(labels: Readonly<Record<string, string>>, locality: string): Readonly<Record<string, string>> {
  const [region = '', zone = '', subzone = ''] = locality.split('/');
  return {
    ...labels,
    'topology.kubernetes.io/region': region,
    'topology.kubernetes.io/zone': zone,
    'topology.istio.io/subzone': subzone,
  };
}
