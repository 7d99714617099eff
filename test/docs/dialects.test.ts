import { readFileSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { supportText } from '../../src/resources/support.js';

const file = resolve(import.meta.dirname, '../../src/resources/DIALECTS.md');

describe('src/resources/DIALECTS.md', () => {
  it('says what the readers do (UPDATE_DIALECTS=1 writes it anew)', () => {
    if (process.env['UPDATE_DIALECTS'] === '1') writeFileSync(file, supportText());
    expect(readFileSync(file, 'utf8')).toBe(supportText());
  });
});
