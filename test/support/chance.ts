import { type Random, seededRandom } from '../../src/platform/random.js';

/** What a property test draws from. */
export interface Chance {
  /** A whole number in [0, below). */
  below(below: number): number;
  /** One of them. */
  of<T>(choices: readonly T[]): T;
}

/**
 * Runs a property `times` times, each from a seed of its own. When it does not hold, the error names the seed;
 * `TEST_SEED=<seed>` runs just that one again.
 */
export function forChance(times: number, property: (chance: Chance) => void): void {
  const fixed = process.env['TEST_SEED'];
  const first = fixed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(fixed);
  for (let i = 0; i < (fixed === undefined ? times : 1); i++) {
    const seed = first + i;
    try {
      property(chanceOf(seededRandom(seed, 'test')));
    } catch (error) {
      throw new Error(`does not hold with TEST_SEED=${seed}: ${error instanceof Error ? error.message : error}`, {
        cause: error,
      });
    }
  }
}

function chanceOf(random: Random): Chance {
  const below = (limit: number): number => Math.floor(random.next() * limit);
  return { below, of: (choices) => choices[below(choices.length)] as (typeof choices)[number] };
}
