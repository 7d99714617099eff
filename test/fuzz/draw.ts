import { seededRandom } from '../../src/platform/random.js';
import type { Chance } from '../support/chance.js';

export interface Draw {
  readonly seed: number;
  readonly chance: Chance;
}

/**
 * As many draws as asked for, each from a seed of its own. `SEED=<seed>` says where they begin, `TIMES=<n>` how many they
 * are: `SEED=<seed> TIMES=1` is one of them again.
 */
export function* draws(times: number): Generator<Draw> {
  const { SEED, TIMES } = process.env;
  const first = SEED === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(SEED);
  const all = TIMES === undefined ? times : Number(TIMES);
  for (let i = 0; i < all; i++) yield { seed: first + i, chance: chanceOf(first + i) };
}

function chanceOf(seed: number): Chance {
  const random = seededRandom(seed, 'fuzz');
  const below = (limit: number): number => Math.floor(random.next() * limit);
  return { below, of: (choices) => choices[below(choices.length)] as (typeof choices)[number] };
}

/** Works through items with a few hands at a time; each hand has a bench of its own. */
export async function work<T, B>(items: Iterable<T>, benches: readonly B[], one: (item: T, bench: B) => Promise<void>) {
  const rest = items[Symbol.iterator]();
  await Promise.all(
    benches.map(async (bench) => {
      for (let next = rest.next(); next.done !== true; next = rest.next()) await one(next.value, bench);
    }),
  );
}
