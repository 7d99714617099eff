import { describe, expect, it } from 'vitest';
import { chances } from '../support/chance.js';
import { FOREIGN } from '../support/foreign-servers.js';
import { checkAnswers } from './answers.js';
import { checkCorpus, checkDraws, type Tally } from './check-requests.js';
import { compare, composed, fromCorpus } from './differential.js';

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
  const all = [...chances(20_000)];
  console.log(`seeds from ${all[0]?.seed}, ${all.length} of them`);
  tell('composed', await checkDraws(all));
});

it('answers of a rogue back end (P8)', async () => {
  const all = [...chances(20_000)];
  console.log(`seeds from ${all[0]?.seed}, ${all.length} of them`);
  tell('answers', await checkAnswers(all));
});

describe.each(Object.entries(FOREIGN))('%s behind a sidecar (P3)', (name, start) => {
  if (start === null) console.warn(`SKIPPED: ${name} is not installed here, so nothing is known about it`);

  it.skipIf(start === null)('sees what the sidecar accounted for', async () => {
    const all = [...chances(10_000)];
    console.log(`${name}: seeds from ${all[0]?.seed}, ${all.length} of them`);
    for (const messages of [fromCorpus(() => true), composed(all)]) {
      const { seen, accounted, faults } = await compare(messages, start as NonNullable<typeof start>);
      console.log(`${name}: ${seen} requests seen, ${accounted} sent on, ${faults.length} faults`);
      expect(faults.join('\n')).toBe('');
    }
  });
});
