import { expect, it } from 'vitest';
import { chances } from '../support/chance.js';
import { checkCorpus, checkDraws } from './check-requests.js';

/** All of them each time: a share drawn by chance found out late that two were obeyed otherwise. */
it('every odd message of the corpus is seen by all as it was meant (P1)', async () => {
  const { messages, faults } = await checkCorpus(() => true);
  expect(faults.join('\n')).toBe('');
  expect(messages).toBeGreaterThan(9_000);
});

it('of composed messages the back end gets what the sidecar recorded, byte by byte (P2)', async () => {
  const { faults } = await checkDraws(chances(500));
  expect(faults.join('\n')).toBe('');
});
