import { expect, it } from 'vitest';
import { seededRandom } from '../../src/platform/random.js';
import { tooDeepAt, tooDeepByTokens } from '../../src/yaml/depth.js';

const SEED = Number(process.env.SEED ?? 7);
const PIECES = [
  '- ',
  '? ',
  'a: ',
  '"a": ',
  '[',
  ']',
  '{',
  '}',
  ', ',
  '\n',
  '\n  ',
  '\n    ',
  ' ',
  '"',
  "'",
  '#',
  'x',
  '|',
  '---',
  '\n---\n',
  '&a ',
  '!t ',
];

it(`characters never rule out what tokens find (SEED=${SEED})`, () => {
  const random = seededRandom(SEED, 'depth');
  let deep = 0;
  for (let i = 0; i < 20_000; i += 1) {
    const length = 1 + Math.floor(random.next() * 30);
    const text = Array.from({ length }, () => PIECES[Math.floor(random.next() * PIECES.length)]).join('');
    for (const limit of [1, 2, 3, 5]) {
      const found = tooDeepByTokens(text, limit);
      if (found !== null) deep += 1;
      expect(tooDeepAt(text, limit), JSON.stringify(text)).toBe(found);
    }
  }
  expect(deep).toBeGreaterThan(1_000);
});
