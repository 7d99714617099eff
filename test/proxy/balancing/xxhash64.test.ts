import { describe, expect, it } from 'vitest';
import { xxHash64 } from '../../../src/proxy/balancing/xxhash64.js';

describe('XXH64', () => {
  // From the reference implementation (xxhsum -H1) and RFC-like test vectors of the algorithm's description.
  it.each([
    ['', 0n, 0xef46db3751d8e999n],
    ['a', 0n, 0xd24ec4f1a98c6e5bn],
    ['abc', 0n, 0x44bc2cf5ad770999n],
    ['', 1n, 0xd5afba1336a3be4bn],
    ['xxhash', 0n, 0x32dd38952c4bc720n],
    ['Nobody inspects the spammish repetition', 0n, 0xfbcea83c8a378bf1n],
  ])('of %j with seed %d', (text, seed, hash) => {
    expect(xxHash64(text, seed)).toBe(hash);
  });
});
