import { expect, it } from 'vitest';
import { checkAnswers } from './answers.js';
import { checkCorpus, checkDraws, type Tally } from './check-requests.js';
import { draws } from './draw.js';

function tell(what: string, { messages, taken, refused, faults }: Tally): void {
  console.log(
    `${what}: ${messages} messages, ${taken} requests taken, ${refused} messages refused, ${faults.length} faults`,
  );
  expect(faults.join('\n')).toBe('');
}

it('the whole corpus (P1)', async () => {
  tell('corpus', await checkCorpus());
});

it('composed messages (P2)', async () => {
  const all = [...draws(20_000)];
  console.log(`SEED=${all[0]?.seed} TIMES=${all.length}`);
  tell('composed', await checkDraws(all));
});

it('answers of a rogue back end (P8)', async () => {
  const all = [...draws(20_000)];
  console.log(`SEED=${all[0]?.seed} TIMES=${all.length}`);
  tell('answers', await checkAnswers(all));
});
