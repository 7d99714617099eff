export const HEAD =
  'apiVersion: networking.istio.io/v1\nkind: VirtualService\nmetadata: { name: x }\nspec:\n  hosts: [a]\n  http:\n';
export const times = (n: number, of: (i: number) => string): string =>
  Array.from({ length: n }, (_, i) => of(i)).join('');
const rule = (regex: string): string =>
  `  - match: [ { uri: { regex: ${JSON.stringify(regex)} } } ]\n    route: [ { destination: { host: a } } ]\n`;

/** About a megabyte each, of what keeps parsers busy. */
export const HOSTILE: Readonly<Record<string, string>> = {
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
