import { describe, expect, it } from 'vitest';
import { tooMuchAt } from '../../src/yaml/amount.js';

describe('how much of everything a file may hold', () => {
  it.each([
    ['lines', 60_000, '\n'],
    ['documents', 5_000, '---\n'],
    ['colons', 120_000, ':'],
    ['commas', 60_000, ','],
    ['tags (!)', 100, ' !a'],
    ['anchors and aliases (& and *)', 1_000, ' &a'],
    ['anchors and aliases (& and *)', 1_000, ' *a'],
    ['regular expressions', 1_000, ' regex'],
  ])('%s: %i, and not one more', (what, most, sign) => {
    expect(tooMuchAt(sign.repeat(most))).toBeNull();
    expect(tooMuchAt(sign.repeat(most + 1))?.what).toBe(`more than ${most} ${what}`);
  });

  it('counts anchors and aliases together, and signs only where they may begin something', () => {
    expect(tooMuchAt(`${' &a'.repeat(600)}${' *a'.repeat(401)}`)?.offset).toBe(600 * 3 + 400 * 3 + 1);
    expect(tooMuchAt('a!b a&b a*b x---'.repeat(6_000))).toBeNull();
  });
});
