import { describe, expect, it } from 'vitest';
import { readResources } from '../../src/resources/read.js';

const HEAD =
  'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: x }\nspec:\n  hosts: [a]\n  http:\n';
const times = (n: number, of: (i: number) => string): string => Array.from({ length: n }, (_, i) => of(i)).join('');
const rule = (regex: string): string =>
  `  - match: [ { uri: { regex: ${JSON.stringify(regex)} } } ]\n    route: [ { destination: { host: a } } ]\n`;

/** About a megabyte each, of what keeps parsers busy. */
const HOSTILE: Readonly<Record<string, string>> = {
  'flow collections in one another': `a: ${'['.repeat(500_000)}${']'.repeat(500_000)}`,
  'mappings in one another': times(1_400, (i) => `${' '.repeat(i)}a:\n`),
  'aliases that multiply': `a: &a [x,x,x,x,x,x,x,x,x]\n${times(12, (i) => `k${i}: &k${i} [${`*${i === 0 ? 'a' : `k${i - 1}`},`.repeat(9)}]\n`)}`,
  'keys without end': `${HEAD.replace(/hosts[\s\S]*/, '')}${times(90_000, (i) => `k${i}: 1\n  `)}`,
  'documents without end': '---\na: 1\n'.repeat(110_000),
  'open braces': '{a: {b: '.repeat(125_000),
  'expressions that are none': HEAD + times(8_000, () => rule('((a{1,100}){1,100}){1,100}')),
  'expressions that backtrack elsewhere': HEAD + times(9_000, (i) => rule(`(x+x+)+y${i}`)),
  'items without end': `a:\n${'- \n'.repeat(330_000)}`,
  dashes: '- '.repeat(500_000),
  'question marks': '? '.repeat(500_000),
  tags: `a: ${'!x '.repeat(330_000)}`,
  anchors: times(70_000, (i) => `- &a${i} x\n`),
  comments: '#\n'.repeat(500_000),
  'a quote that never ends': `a: ${'"\\'.repeat(500_000)}`,
  commas: `a: [${'x,'.repeat(500_000)}]`,
};

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
