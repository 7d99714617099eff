import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { ConformanceCase } from './case.js';
import { BACKEND_CASES } from './cases/backends.js';
import { FILTER_CASES } from './cases/filters.js';
import { GATEWAY_CASES } from './cases/gateway.js';
import { GRPC_CASES } from './cases/grpc.js';
import { MATCHING_CASES } from './cases/matching.js';
import { MESH_CASES } from './cases/mesh.js';
import { REDIRECT_CASES } from './cases/redirects.js';
import { RESILIENCE_CASES } from './cases/resilience.js';
import { type Fixture, startFixture } from './fixture.js';
import { reportOf } from './report.js';

const CASES: readonly ConformanceCase[] = [
  ...MESH_CASES,
  ...MATCHING_CASES,
  ...REDIRECT_CASES,
  ...FILTER_CASES,
  ...BACKEND_CASES,
  ...RESILIENCE_CASES,
  ...GATEWAY_CASES,
  ...GRPC_CASES,
];

let mesh: Fixture;
const passed = new Set<string>();

beforeAll(async () => {
  mesh = await startFixture();
});
afterEach(() => mesh.clear());
afterAll(() => mesh.close());

describe("the Gateway API's conformance tests, with manifests of our own", () => {
  for (const one of CASES) {
    const { name, behaviours = [], yaml, check, unsupported } = one;
    if (check === null) continue;
    const title = [name, ...behaviours].join(' ');
    it(unsupported === undefined ? title : `${title} (not as the suite wants it: ${unsupported})`, async () => {
      if (yaml !== '') expect(await mesh.apply(yaml)).toEqual([]);
      if (unsupported === undefined) await check(mesh);
      else await expect(check(mesh), 'it is as the suite wants it after all').rejects.toThrow();
      passed.add(name);
    });
  }

  it('has all 23 tests of the mesh profile', () => {
    expect(CASES.filter(({ name }) => name.startsWith('Mesh'))).toHaveLength(23);
  });

  it('says in REPORT.md what is supported', () => {
    const file = join(import.meta.dirname, 'REPORT.md');
    const report = reportOf(CASES, (name) => passed.has(name));
    if (process.env['UPDATE_REPORT'] !== undefined) writeFileSync(file, report);
    expect(readFileSync(file, 'utf8')).toBe(report);
  });
});
