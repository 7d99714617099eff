import { type Random, seededRandom } from '../../src/platform/random.js';

/** What a property test draws from. */
export interface Chance {
  /** A whole number in [0, below). */
  below(below: number): number;
  /** One of them. */
  of<T>(choices: readonly T[]): T;
}

export interface Draw {
  readonly seed: number;
  readonly chance: Chance;
}

/**
 * `times` draws, each from a seed of its own; with `TEST_SEED=<seed>` just that one again, with `TEST_TIMES=<n>` n times as
 * many.
 */
export function* chances(times: number): Generator<Draw> {
  const fixed = process.env['TEST_SEED'];
  const first = fixed === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(fixed);
  const all = times * Number(process.env['TEST_TIMES'] ?? 1);
  for (let i = 0; i < (fixed === undefined ? all : 1); i++)
    yield { seed: first + i, chance: chanceOf(seededRandom(first + i, 'test')) };
}

/** Runs a property `times` times. When it does not hold, the error names the seed. */
export function forChance(times: number, property: (chance: Chance) => void): void {
  for (const { seed, chance } of chances(times)) {
    try {
      property(chance);
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
