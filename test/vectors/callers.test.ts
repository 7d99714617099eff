import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { VectorCase } from './case.js';
import { CALLER_FILES, casesOf } from './cases.js';
import { differing, differingNow } from './differing.js';
import { REASONS } from './reasons.js';
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
        told.set(one.id, await differingNow(world, one));
      }
    };
    await Promise.all(Array.from({ length: Math.min(WORLDS, cases.length) }, work));
    // Times beside other worlds are those worlds' as well: what differs is replayed when nothing else runs.
    for (const { one } of cases)
      if (REASONS[one.id] === undefined && told.get(one.id)?.length !== 0)
        told.set(one.id, await differing(worlds[0] as World, one));
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
