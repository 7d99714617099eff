import { afterAll, beforeAll, expect, it } from 'vitest';
import { describeDocker } from '../support/docker.js';
import type { VectorCase } from './case.js';
import { CALLER_FILES, casesOf } from './cases.js';
import { differing } from './differing.js';
import { dockerWorld } from './docker-world.js';
import { REASONS } from './reasons.js';
import type { World } from './world.js';

/** So many of the cases, evenly over all of them. */
const SAMPLE = 60;

/** What containers have otherwise: addresses of their own, and an app that does not listen is no endpoint. */
function fits({ id, objects, apps, requests, policies }: VectorCase): boolean {
  const text = JSON.stringify([apps, requests.map(({ observed: _, ...request }) => request), policies]);
  return (
    REASONS[id] === undefined && objects === undefined && !/down|blackhole|source_ip|10\.96\.|connections/.test(text)
  );
}

const fitting = CALLER_FILES.flatMap(casesOf).filter(fits);
const sample = Array.from(
  { length: SAMPLE },
  (_, i) => fitting[Math.floor((i * fitting.length) / SAMPLE)] as VectorCase,
);

describeDocker('a sample of what Istio and Envoy were seen to do, in containers', () => {
  let world: World;
  beforeAll(async () => {
    world = await dockerWorld();
  });
  afterAll(() => world?.close());

  for (const one of sample)
    it(`${one.id}: ${one.title}`, async () => {
      expect(await differing(world, one)).toEqual([]);
    });
});
