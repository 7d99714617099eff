import { expect, it } from 'vitest';
import { checkAnswers } from './answers.js';
import { draws } from './draw.js';

/** A sample of what `npm run fuzz` does. */
it('of what a back end answers the caller gets its own answer whole, or a failure, and never another’s (P8)', async () => {
  const { faults } = await checkAnswers(draws(400));
  expect(faults.join('\n')).toBe('');
});
