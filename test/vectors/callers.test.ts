import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VectorCase } from './case.js';
import { CALLER_FILES, casesOf } from './cases.js';
import { differences } from './compare.js';
import { REASONS } from './reasons.js';
import { replay } from './replay.js';
import { localWorld, type World } from './world.js';

/** Several worlds at once: most of a case is waiting. */
const WORLDS = 5;

/** `VECTORS=rm-uri,gp-` replays only cases whose ids begin so. */
const wanted = (process.env['VECTORS'] ?? '').split(',');
const cases = CALLER_FILES.flatMap((file) => casesOf(file).map((one) => ({ file, one }))).filter(({ one }) =>
  wanted.some((prefix) => one.id.startsWith(prefix)),
);

describe('what Istio and Envoy were seen to do with the same policies and requests', () => {
  const told = new Map<string, string[]>();
  const worlds: World[] = [];

  beforeAll(async () => {
    let next = 0;
    const work = async (): Promise<void> => {
      const world = await localWorld();
      worlds.push(world);
      while (next < cases.length) {
        const { one } = cases[next++] as { one: VectorCase };
        told.set(one.id, await differencesOf(world, one));
      }
    };
    await Promise.all(Array.from({ length: Math.min(WORLDS, cases.length) }, work));
    // Times beside other worlds are the machine's as well: what waits is replayed once more when nothing else runs.
    for (const { one } of cases)
      if (REASONS[one.id] === undefined && told.get(one.id)?.length !== 0 && waits(one))
        told.set(one.id, await differencesNow(worlds[0] as World, one));
  }, 300_000);

  afterAll(() => Promise.all(worlds.map((world) => world.close())));

  for (const { file, one } of cases)
    it(`${file.replace('.yaml', '')} ${one.id}: ${one.title}`, () => {
      const reason = REASONS[one.id];
      if (reason === undefined) expect(told.get(one.id)).toEqual([]);
      else expect(told.get(one.id), `equal after all, so it needs no reason: ${reason}`).not.toEqual([]);
    });

  it('gives reasons only for cases that there are, and for few', () => {
    const known = new Set(CALLER_FILES.flatMap((file) => casesOf(file).map(({ id }) => id)));
    expect(Object.keys(REASONS).filter((id) => !known.has(id))).toEqual([]);
    expect(Object.keys(REASONS).length).toBeLessThanOrEqual(0.03 * known.size);
  });
});

function waits({ apps }: VectorCase): boolean {
  return JSON.stringify(apps ?? {}).includes('"delay"');
}

/** Of a thousand samples of chance one is off: a case about shares that differs is asked once more. */
async function differencesOf(world: World, one: VectorCase): Promise<string[]> {
  const told = await differencesNow(world, one);
  return told.length > 0 && one.requests.some(({ repeat = 1 }) => repeat > 1) ? differencesNow(world, one) : told;
}

async function differencesNow(world: World, one: VectorCase): Promise<string[]> {
  const { refused, outcomes } = await replay(world, one);
  return refused.length > 0 ? refused.map((why) => `refused: ${why}`) : differences(one, outcomes);
}
