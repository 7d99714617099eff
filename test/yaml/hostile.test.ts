import { describe, expect, it } from 'vitest';
import { readResources } from '../../src/resources/read.js';
import { HEAD, HOSTILE, times } from './hostile.js';

describe('a megabyte of hostile YAML', () => {
  for (const [what, text] of Object.entries(HOSTILE))
    it(`is refused: ${what}`, () => {
      const { resources, findings } = readResources([{ name: 'hostile.yaml', text }], 0);
      expect(resources).toEqual([]);
      expect(findings.some(({ level }) => level === 'error')).toBe(true);
      expect(findings.length).toBeLessThan(1_000);
    });

  it('of many mistakes tells the first, and each once', () => {
    const text = `${HEAD.replace(/hosts[\s\S]*/, '')}${times(20_000, (i) => `k${i}: 1\n  `)}`;
    const { findings } = readResources([{ name: 'many.yaml', text }], 0);
    expect(findings.length).toBe(501);
    expect(findings[0]?.message).toBe('unknown key "k0" in spec');
    expect(findings.at(-1)?.message).toMatch(/and more mistakes/);
  });
});
