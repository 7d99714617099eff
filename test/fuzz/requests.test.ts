import { expect, it } from 'vitest';
import { chances } from '../support/chance.js';
import { checkCorpus, checkDraws } from './check-requests.js';

/** A sample of what `npm run fuzz` does. */
it('every ninth odd message of the corpus is seen by all as it was meant (P1)', async () => {
  const nth = Math.floor(Math.random() * 9);
  const { messages, faults } = await checkCorpus((n) => n % 9 === nth);
  expect(faults.join('\n'), `n % 9 === ${nth}`).toBe('');
  expect(messages).toBeGreaterThan(1_000);
});

it('of composed messages the back end gets what the sidecar recorded, byte by byte (P2)', async () => {
  const { faults } = await checkDraws(chances(500));
  expect(faults.join('\n')).toBe('');
});
