import type { VectorCase } from './case.js';
import { differences } from './compare.js';
import { replay } from './replay.js';
import type { World } from './world.js';

/**
 * What a case comes to otherwise than it was observed; empty = equal. Shares are samples of chance, of which one in a thousand
 * is off, and times are the machine's as well: what differs counts when it differs again.
 */
export async function differing(world: World, one: VectorCase): Promise<string[]> {
  const told = await differingNow(world, one);
  return told.length === 0 ? told : differingNow(world, one);
}

/** The same from one replay. */
export async function differingNow(world: World, one: VectorCase): Promise<string[]> {
  const { refused, outcomes } = await replay(world, one);
  return refused.length > 0 ? refused.map((why) => `refused: ${why}`) : differences(one, outcomes);
}
