/**
 * Chance as a parameter. Two kinds: a seeded stream for identifiers (ids repeat from run to run when the seed does), and
 * decisions keyed by (seed, request id, purpose), so that concurrency does not change what happens to a request.
 */
export interface Random {
  /** [0, 1) from the stream. */
  next(): number;
  /** `bytes` random bytes (at most 32) as lower-case hex. */
  hex(bytes: number): string;
  /** A version 4 UUID (RFC 9562) from the stream. */
  uuid(): string;
  /** [0, 1), always the same for the same seed, key and purpose. */
  decide(key: string, purpose: string): number;
}

const DIGITS = Uint8Array.from(Buffer.from('0123456789abcdef', 'latin1'));
const DASH = 45;

/** Where ids are spelled before they become one flat string. */
const scratch = Buffer.alloc(64);

/** A generator whose stream is fixed by `seed` and `stream` (give each process its own stream name). */
export function seededRandom(seed: number, stream: string): Random {
  // xoshiro128**: four words of state, filled from the seed by the same mixer that keys decisions.
  let a = mix(hashText(stream, seed) ^ 0x9e3779b9);
  let b = mix(a ^ 0x85ebca6b);
  let c = mix(b ^ 0xc2b2ae35);
  let d = mix(c ^ 0x27d4eb2f) | 1;
  const word = (): number => {
    const result = Math.imul(rotate(Math.imul(b, 5), 7), 9);
    const t = b << 9;
    c ^= a;
    d ^= b;
    b ^= c;
    a ^= d;
    c ^= t;
    d = rotate(d, 11);
    return result >>> 0;
  };
  return {
    next: () => word() / 4294967296,
    hex(bytes) {
      for (let at = 0; at < bytes * 2; at += 8) spell(word(), at);
      return scratch.toString('latin1', 0, bytes * 2);
    },
    uuid() {
      for (let at = 0; at < 32; at += 8) spell(word(), at);
      // Shifted to make room for the dashes, from the back: 8-4-4-4-12.
      scratch.copyWithin(24, 20, 32);
      scratch.copyWithin(19, 16, 20);
      scratch.copyWithin(14, 12, 16);
      scratch.copyWithin(9, 8, 12);
      scratch[8] = scratch[13] = scratch[18] = scratch[23] = DASH;
      scratch[14] = DIGITS[4] as number;
      scratch[19] = DIGITS[8 | ((HEX_VALUE[scratch[19] as number] as number) & 3)] as number;
      return scratch.toString('latin1', 0, 36);
    },
    decide: (key, purpose) => mix(hashText(purpose, hashText(key, seed))) / 4294967296,
  };
}

const HEX_VALUE = new Uint8Array(128);
for (let digit = 0; digit < 16; digit++) HEX_VALUE[DIGITS[digit] as number] = digit;

/** Eight digits of a word into the scratch buffer. */
function spell(word: number, at: number): void {
  for (let i = 0; i < 8; i++) scratch[at + i] = DIGITS[(word >>> (28 - i * 4)) & 15] as number;
}

function rotate(x: number, k: number): number {
  return (x << k) | (x >>> (32 - k));
}

/** FNV-1a over UTF-16 units, seeded. */
function hashText(text: string, seed: number): number {
  let h = (0x811c9dc5 ^ seed) | 0;
  for (let i = 0; i < text.length; i++) h = Math.imul(h ^ text.charCodeAt(i), 0x01000193);
  return h;
}

/** murmur3's finaliser: every input bit reaches every output bit. */
function mix(value: number): number {
  let h = value | 0;
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return (h ^ (h >>> 16)) >>> 0;
}
