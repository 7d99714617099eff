import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { type TarEntry, tarBlocks, tarEnd } from '../../src/runtime/docker/tar.js';

const entry = (path: string, given: Partial<TarEntry> = {}): TarEntry => ({
  path,
  kind: 'file',
  content: Buffer.from('text'),
  mode: 0o644,
  uid: 0,
  target: '',
  ...given,
});

const archive = (entries: TarEntry[]): Buffer => Buffer.concat([...entries.flatMap(tarBlocks), tarEnd()]);
const tar = (flags: string[], input: Buffer): string => execFileSync('tar', flags, { input, encoding: 'utf8' });

describe('tar writer', () => {
  const long = `${'folder/'.repeat(16)}file-with-a-name`;
  const entries = [
    entry('etc/passwd'),
    entry(long),
    entry('empty', { content: Buffer.alloc(0) }),
    entry('block', { content: Buffer.alloc(512, 'b') }),
    entry('var/lib/x/', { kind: 'directory', mode: 0o700, uid: 10002 }),
    entry('bin/sh', { kind: 'symlink', target: '/bin/dash', content: Buffer.alloc(0) }),
  ];

  it('is read by tar: names, sizes, modes, owners, links', () => {
    const listed = tar(['-tvf', '-', '--numeric-owner'], archive(entries)).trim().split('\n');
    const words = listed.map((line) => line.split(/\s+/));
    expect(words.map(([mode, owner, size]) => [mode, owner, size])).toEqual([
      ['-rw-r--r--', '0/0', '4'],
      ['-rw-r--r--', '0/0', '4'],
      ['-rw-r--r--', '0/0', '0'],
      ['-rw-r--r--', '0/0', '512'],
      ['drwx------', '10002/10002', '0'],
      ['lrw-r--r--', '0/0', '0'],
    ]);
    expect(listed[1]).toContain(long);
    expect(listed[5]).toContain('bin/sh -> /bin/dash');
    expect(tar(['-xOf', '-', long], archive(entries))).toBe('text');
  });

  it('gives equal bytes for equal content, in whole blocks', () => {
    expect(archive(entries).equals(archive(entries))).toBe(true);
    expect(archive(entries).length % 512).toBe(0);
  });

  it('refuses a path that does not fit', () => {
    expect(() => tarBlocks(entry('x'.repeat(101)))).toThrow('too long');
    expect(() => tarBlocks(entry(`${'x'.repeat(160)}/${'y'.repeat(90)}`))).toThrow('too long');
  });
});
