import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CalleeBed, startCalleeBed } from './callee-bed.js';
import { casesOf } from './callee-case.js';
import { CALLEE_REASONS } from './callee-reasons.js';
import { replay } from './callee-replay.js';

const FILES = ['in-authz-match.yaml', 'in-authz-logic.yaml', 'in-jwt.yaml', 'in-mtls.yaml', 'in-bypass.yaml'];

let bed: CalleeBed;
beforeAll(async () => {
  bed = await startCalleeBed();
});
afterAll(() => bed.close());

describe.each(FILES)('%s', (file) => {
  it.each(casesOf(file).map((one) => [one.id, one] as const))('%s', async (id, one) => {
    const differences = await replay(bed, one);
    const reason = CALLEE_REASONS[id];
    if (reason === undefined) expect(differences).toEqual([]);
    else expect(differences, `it stands in the table of differences and is equal: ${reason}`).not.toEqual([]);
  });
});

it('the table of differences names cases that exist', () => {
  const ids = new Set(FILES.flatMap((file) => casesOf(file).map(({ id }) => id)));
  expect(Object.keys(CALLEE_REASONS).filter((id) => !ids.has(id))).toEqual([]);
});
