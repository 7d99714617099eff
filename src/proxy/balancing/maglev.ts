import type { Choice, EndpointState } from '../pipeline/cluster.js';
import { xxHash64 } from './xxhash64.js';

const MASK = 0xffffffffffffffffn;

/** Maglev's table (Eisenbud et al., NSDI 2016, §3.4), filled as Envoy fills it: the same choice for the same hash. */
export function maglev(
  endpoints: readonly EndpointState[],
  tableSize: number,
  chance: (attempt: Choice, draw: number) => number,
): (attempt: Choice, draw: number) => EndpointState {
  const table = makeTable(endpoints, tableSize);
  const size = BigInt(tableSize);
  return (attempt, draw) => {
    const hash = attempt.routed.hash ?? BigInt(Math.floor(chance(attempt, draw) * 2 ** 48)) << 16n;
    const redrawn = draw === 0 ? hash : hash ^ (MASK - BigInt(draw) + 1n);
    return endpoints[table[Number(redrawn % size)] as number] as EndpointState;
  };
}

interface Entry {
  readonly endpoint: number;
  readonly offset: number;
  readonly skip: number;
  readonly weight: number;
  next: number;
  target: number;
}

function makeTable(endpoints: readonly EndpointState[], size: number): Uint16Array | Uint32Array {
  const heaviest = Math.max(...endpoints.map(({ config }) => config.weight));
  const entries = endpoints
    .map(({ address, config }, endpoint): Entry & { readonly address: string } => ({
      endpoint,
      address,
      offset: Number(xxHash64(address) % BigInt(size)),
      skip: Number(xxHash64(address, 1n) % BigInt(size - 1)) + 1,
      weight: config.weight / heaviest,
      next: 0,
      target: 0,
    }))
    .sort((a, b) => (a.address < b.address ? -1 : 1));
  const free = 0xffff_ffff;
  const table = new Uint32Array(size).fill(free);
  let filled = 0;
  for (let turn = 1; filled < size; turn++) {
    for (const entry of entries) {
      if (filled === size) break;
      // A lighter endpoint passes in as many turns as its weight says.
      if (turn * entry.weight < entry.target) continue;
      entry.target += 1;
      let slot = (entry.offset + entry.skip * entry.next) % size;
      while (table[slot] !== free) slot = (entry.offset + entry.skip * ++entry.next) % size;
      table[slot] = entry.endpoint;
      entry.next++;
      filled++;
    }
  }
  return table;
}
