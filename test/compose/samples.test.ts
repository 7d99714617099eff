import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { resolveSource, SourceError } from '../../src/compose/samples.js';

const root = mkdtempSync(join(tmpdir(), 'samples-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
const cwd = join(root, 'work');
for (const folder of ['compose', 'work', 'work/shop', 'work/empty']) mkdirSync(join(root, folder));
for (const file of ['compose/bookinfo.yaml', 'compose/boutique.yaml', 'work/mine.yml', 'work/shop/docker-compose.yml'])
  writeFileSync(join(root, file), file);

const textOf = (argument: string | null): string => resolveSource(argument, cwd, root).text;

function errorOf(argument: string): SourceError {
  try {
    resolveSource(argument, cwd, root);
  } catch (error) {
    if (error instanceof SourceError) return error;
  }
  throw new Error(`${argument} was found`);
}

describe('what up is pointed at', () => {
  it.each([
    [null, 'compose/bookinfo.yaml'],
    ['boutique', 'compose/boutique.yaml'],
    ['mine.yml', 'work/mine.yml'],
    ['./mine.yml', 'work/mine.yml'],
    [join(cwd, 'mine.yml'), 'work/mine.yml'],
    ['shop', 'work/shop/docker-compose.yml'],
  ])('%s', (argument, text) => expect(textOf(argument)).toBe(text));

  it('is named as the user would write it', () => {
    expect(resolveSource(null, cwd, root).file).toBe('../compose/bookinfo.yaml');
    expect(resolveSource('shop', cwd, root).file).toBe('shop/docker-compose.yml');
  });

  it('or is unknown: the nearest sample, and all of them', () => {
    const error = errorOf('bokinfo');
    expect(error.message).toBe('"bokinfo" is neither a sample nor a file; did you mean bookinfo?');
    expect(error.hints).toEqual(['samples: bookinfo, boutique', 'or the path of a Compose file']);
    expect(errorOf('../compose/nothing').hints).toHaveLength(2);
  });

  it('or has no Compose file in it', () => {
    expect(errorOf('empty').message).toBe('there is no Compose file in "empty"');
  });
});
