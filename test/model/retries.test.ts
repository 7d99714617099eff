import { describe, expect, it } from 'vitest';
import { codesText } from '../../src/model/retries.js';

describe('status codes in a sentence', () => {
  it.each([
    [[], []],
    [[503], ['503']],
    [
      [503, 504],
      ['503', '504'],
    ],
    [
      [404, 502, 503, 504],
      ['404', '502-504'],
    ],
  ])('%j are %j', (codes, text) => {
    expect(codesText(codes)).toEqual(text);
  });
});
