import { describe, expect, it } from 'vitest';
import { compare, composed, fromCorpus } from '../fuzz/differential.js';
import { chances } from '../support/chance.js';
import { FOREIGN } from '../support/foreign-servers.js';

/**
 * Other people's servers behind a sidecar (P3): whatever is sent, none sees a request that the sidecar did not account
 * for. A sample; `npm run fuzz` sends everything.
 */
describe.each(Object.entries(FOREIGN))('%s', (name, start) => {
  if (start === null) {
    console.warn(
      `SKIPPED: ${name} is not installed here, so nothing is known about it (apt-get install ${name.toLowerCase()})`,
    );
  }

  it.skipIf(start === null)('sees the odd messages of the corpus as the sidecar does', async () => {
    const nth = Math.floor(Math.random() * 20);
    const { seen, accounted, faults } = await compare(
      fromCorpus((n) => n % 20 === nth),
      start as NonNullable<typeof start>,
    );
    expect(faults.join('\n'), `n % 20 === ${nth}; ${seen} of ${accounted}`).toBe('');
    expect(seen).toBeGreaterThan(50);
  });

  it.skipIf(start === null)('sees composed messages as the sidecar does', async () => {
    const all = [...chances(300)];
    const { seen, accounted, faults } = await compare(composed(all), start as NonNullable<typeof start>);
    expect(faults.join('\n'), `seeds from ${all[0]?.seed}, ${all.length} of them; ${seen} of ${accounted}`).toBe('');
  });
});
