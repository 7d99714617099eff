import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Body } from '../../../src/proxy/codec/body.js';
import { BodyReader } from '../../../src/proxy/codec/body-reader.js';
import { DEFAULT_LIMITS } from '../../../src/proxy/codec/fields.js';
import { CHUNKED } from '../../../src/proxy/codec/message.js';

const bad = () => new Error('bad') as never;

function read(
  pieces: readonly Buffer[],
  length: number,
): { content: string; trailers: string[] | null; rest: string; done: boolean } {
  const body = new Body(length, { pauseBody: () => {}, resumeBody: () => {}, abandonBody: () => {} });
  const result = { content: '', trailers: null as string[] | null, rest: '', done: false };
  body.attach({
    onChunk: (chunk) => {
      result.content += chunk.toString('latin1');
      return true;
    },
    onEnd: (trailers) => {
      result.trailers = trailers?.pairs() ?? null;
      result.done = true;
    },
    onError: () => {},
  });
  const reader = new BodyReader(body, DEFAULT_LIMITS, bad);
  for (const piece of pieces) {
    const at = reader.done ? 0 : reader.read(piece, 0);
    result.rest += piece.subarray(at).toString('latin1');
  }
  return result;
}

const wire = 'B;ext=1\r\nhello world\r\n5\r\n12345\r\n0\r\nX-Sum: 1\r\n\r\nGET / HTTP/1.1';

describe('chunked bodies', () => {
  it('are read the same however the bytes are cut', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: wire.length - 1 }), { maxLength: 12 }), (cuts) => {
        const at = [0, ...[...new Set(cuts)].sort((a, b) => a - b), wire.length];
        const pieces = at.slice(1).map((end, i) => Buffer.from(wire.slice(at[i], end), 'latin1'));
        expect(read(pieces, CHUNKED)).toEqual({
          content: 'hello world12345',
          trailers: ['x-sum', '1'],
          rest: 'GET / HTTP/1.1',
          done: true,
        });
      }),
    );
  });

  it.each([
    ['a sign', '+1\r\na\r\n0\r\n\r\n'],
    ['0x', '0x1\r\na\r\n0\r\n\r\n'],
    ['a space', '1 \r\na\r\n0\r\n\r\n'],
    ['bare LF after the size', '1\na\r\n0\r\n\r\n'],
    ['bare LF after the data', '1\r\na\n0\r\n\r\n'],
    ['LF in an extension', '1;a\nb\r\na\r\n0\r\n\r\n'],
    ['no size', '\r\na\r\n0\r\n\r\n'],
    ['13 digits', '1000000000000\r\n'],
    ['Content-Length in trailers', '0\r\nContent-Length: 1\r\n\r\n'],
    ['more trailers than a head may have fields', `0\r\n${'X: 1\r\n'.repeat(101)}\r\n`],
    ['trailers larger than a head, in one piece', `0\r\n${`X: ${'x'.repeat(1_000)}\r\n`.repeat(17)}\r\n`],
    ['an endless extension', `1;${'a'.repeat(5000)}\r\na\r\n0\r\n\r\n`],
  ])('refuse %s', (_, text) => {
    expect(() => read([Buffer.from(text, 'latin1')], CHUNKED)).toThrow('bad');
  });

  it('lose the trailers that say who asks, under any name', () => {
    const trailers = ['X-Sum: 1', 'X-Mesh-Source: a', 'x.mesh.source: a', 'Forwarded: a', 'X_Real_IP: a', 'Cookie: a'];
    const wire = `0\r\n${trailers.join('\r\n')}\r\n\r\n`;
    expect(read([Buffer.from(wire, 'latin1')], CHUNKED).trailers).toEqual(['x-sum', '1']);
  });

  it('keep and replay up to the limit, and say so beyond it', () => {
    const body = new Body(CHUNKED, { pauseBody: () => {}, resumeBody: () => {}, abandonBody: () => {} });
    body.keepForReplay(10);
    body.push(Buffer.from('12345'));
    expect(body.replayable).toBe(true);
    body.push(Buffer.from('678901'));
    expect(body.replayable).toBe(false);
  });
});
