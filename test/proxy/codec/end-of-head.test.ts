import { describe, expect, it } from 'vitest';
import { endOfHead } from '../../../src/proxy/codec/end-of-head.js';
import { forChance } from '../../support/chance.js';

describe('the end of a head', () => {
  it('is where a plain search finds it, from any place on', () => {
    forChance(2_000, (chance) => {
      const pieces = ['\r', '\n', '\r\n', '\r\n\r', '\r\n\r\n', 'a', 'bcd', '\t', '\0', '\xff', 'Host: a\r\n'];
      let text = '';
      for (let i = chance.below(12); i > 0; i--) text += chance.of(pieces);
      const buffer = Buffer.from(text, 'latin1');
      const from = chance.below(buffer.length + 2);
      expect(endOfHead(buffer, from)).toBe(buffer.indexOf('\r\n\r\n', from, 'latin1'));
    });
  });

  it('does not reach outside of the buffer', () => {
    const memory = Buffer.from('GET / HTTP/1.1\r\n\r\n');
    expect(endOfHead(memory.subarray(0, memory.length - 1), 0)).toBe(-1);
    expect(endOfHead(memory.subarray(15), 0)).toBe(-1);
  });
});
