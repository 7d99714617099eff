import { writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chances } from '../support/chance.js';
import { compare, type Difference } from './compare.js';
import { findEnvoy, NO_ENVOY } from './find-envoy.js';
import { type Backends, startBackends } from './stage.js';

const envoy = findEnvoy();
const required = (process.env['MESH_SANDBOX_REQUIRE_ENVOY'] ?? '') !== '';
/** Requests that are compared: a sample in the suite, all of them with `npm run test:envoy`. */
const REQUESTS = Number(process.env['ENVOY_REQUESTS'] ?? 400);

let backends: Backends;
beforeAll(async () => {
  backends = await startBackends(6);
});
afterAll(() => backends.close());

if (envoy === null && !required) console.warn(`SKIPPED: the comparison with Envoy. ${NO_ENVOY}`);

describe('what a caller and the apps see', () => {
  it.skipIf(envoy === null && !required)(
    'is what they see behind Envoy, but for the differences that are listed',
    async () => {
      if (envoy === null) throw new Error(NO_ENVOY);
      for (const { seed, chance } of chances(1)) {
        const { compared, differences } = await compare(envoy, backends, chance, REQUESTS);
        const unexplained = differences.filter(({ reason }) => reason === '');
        console.log(
          `TEST_SEED=${seed}: compared ${JSON.stringify(compared)}, ${differences.length} differences, ${unexplained.length} without a reason`,
        );
        const file = process.env['ENVOY_DIFFERENCES'] ?? '';
        if (file !== '') writeFileSync(file, JSON.stringify(differences));
        expect(unexplained.slice(0, 5).map((difference) => told(difference, seed))).toEqual([]);
        expect(Object.values(compared).reduce((sum, n) => sum + n, 0)).toBeGreaterThanOrEqual(REQUESTS);
      }
    },
    1_200_000,
  );
});

function told({ kind, case: one, ask, ours, envoy: theirs }: Difference, seed: number): string {
  const routes = one.virtualHosts.map(({ domains, routes: all }) => ({ domains, routes: all }));
  return JSON.stringify({ seed, kind, ask, ours, envoy: theirs, routes });
}
