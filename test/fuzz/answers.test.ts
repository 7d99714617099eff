import { expect, it } from 'vitest';
import { chances } from '../support/chance.js';
import { checkAnswers } from './answers.js';

/** A sample of what `npm run fuzz` does. */
it('of what a back end answers the caller gets its own answer whole, or a failure, and never another’s (P8)', async () => {
  const { faults } = await checkAnswers(chances(400));
  expect(faults.join('\n')).toBe('');
});
