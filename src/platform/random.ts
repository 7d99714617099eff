/**
 * Chance as a parameter. Two kinds: a seeded stream for identifiers (ids repeat from run to run when the seed does), and
 * decisions keyed by (seed, request id, purpose), so that concurrency does not change what happens to a request.
 */
export interface Random {
  /** [0, 1) from the stream. */
  next(): number;
  /** `bytes` random bytes as lower-case hex. */
  hex(bytes: number): string;
  /** [0, 1), always the same for the same seed, key and purpose. */
  decide(key: string, purpose: string): number;
}

/** One byte as two digits; a larger table would not stay in the cache. */
const HEX = Array.from({ length: 256 }, (_, i) => i.toString(16).padStart(2, '0'));

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
      let text = '';
      for (let left = bytes * 2; left > 0; left -= 8) {
        const w = word();
        const part = `${HEX[w >>> 24]}${HEX[(w >>> 16) & 255]}${HEX[(w >>> 8) & 255]}${HEX[w & 255]}`;
        text += left >= 8 ? part : part.slice(0, left);
      }
      return text;
    },
    decide: (key, purpose) => mix(hashText(purpose, hashText(key, seed))) / 4294967296,
  };
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
