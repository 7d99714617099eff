import type { Choice, EndpointState } from '../pipeline/cluster.js';
import { xxHash64 } from './xxhash64.js';

/** Points per endpoint are `address_0`, `address_1`, …: the same ring as Envoy's, so the same choice for the same hash. */
export function ringHash(
  endpoints: readonly EndpointState[],
  { minimumRingSize, maximumRingSize }: { readonly minimumRingSize: number; readonly maximumRingSize: number },
  chance: (attempt: Choice, draw: number) => number,
): (attempt: Choice, draw: number) => EndpointState {
  const ring = makeRing(endpoints, minimumRingSize, maximumRingSize);
  return (attempt, draw) => {
    const hash = attempt.routed.hash ?? BigInt(Math.floor(chance(attempt, draw) * 2 ** 48)) << 16n;
    return (ring[(firstFrom(ring, hash) + draw) % ring.length] as Point).endpoint;
  };
}

interface Point {
  readonly hash: bigint;
  readonly endpoint: EndpointState;
}

function makeRing(endpoints: readonly EndpointState[], minimum: number, maximum: number): Point[] {
  const total = endpoints.reduce((sum, { config }) => sum + config.weight, 0);
  const least = Math.min(...endpoints.map(({ config }) => config.weight)) / total;
  const scale = Math.min(Math.ceil(least * minimum) / least, maximum);
  const ring: Point[] = [];
  let wanted = 0;
  for (const endpoint of endpoints) {
    wanted += (scale * endpoint.config.weight) / total;
    for (let i = 0; ring.length < wanted - 1e-9; i++)
      ring.push({ hash: xxHash64(`${endpoint.address}_${i}`), endpoint });
  }
  return ring.sort((a, b) => (a.hash < b.hash ? -1 : a.hash > b.hash ? 1 : 0));
}

/** Index of the first point at or behind the hash, round the ring. */
function firstFrom(ring: readonly Point[], hash: bigint): number {
  let low = 0;
  let high = ring.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((ring[middle] as Point).hash < hash) low = middle + 1;
    else high = middle;
  }
  return low === ring.length ? 0 : low;
}
