import { EventEmitter } from 'node:events';
import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Reading } from '../../../src/proxy/upstream/reading.js';
import { forChance } from '../../support/chance.js';

/** A socket without a peer, and what it emits, kept as it came: nothing is copied. */
function bench(): { reading: Reading; chunks: Buffer[]; read(length: (room: number) => number, fill: number): number } {
  const socket = new EventEmitter();
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  const reading = new Reading();
  reading.of(socket as unknown as Socket);
  return {
    reading,
    chunks,
    read(length, fill) {
      const into = reading.buffer();
      const n = length(into.length);
      into.fill(fill, 0, n);
      reading.callback(n, into);
      return n;
    },
  };
}

describe('what was read', () => {
  it('is never written to again, whatever the sizes of reads, and with however many sockets', () => {
    forChance(50, (chance) => {
      const benches = [bench(), bench(), bench()];
      const told = benches.map(() => [] as { n: number; fill: number }[]);
      for (let i = 0; i < 200; i++) {
        const which = chance.below(benches.length);
        const kind = chance.of(['whole', 'small', 'any'] as const);
        const length = (room: number) =>
          kind === 'whole' ? room : 1 + chance.below(kind === 'small' ? Math.min(room, 2_000) : room);
        told[which]?.push({ n: benches[which]?.read(length, i % 256) ?? 0, fill: i % 256 });
      }
      for (const [which, { chunks }] of benches.entries()) {
        const seen = chunks.map((chunk) => ({
          n: chunk.length,
          fill: chunk[0],
          same: chunk.every((b) => b === chunk[0]),
        }));
        expect(seen).toEqual(told[which]?.map((entry) => ({ ...entry, same: true })));
      }
    });
  });

  it('comes in larger pieces while it fills them, and the buffers go when it ends', () => {
    const { reading, read } = bench();
    const sizes = Array.from({ length: 6 }, () => read((room) => room, 1) / 1024);
    expect(sizes).toEqual([16, 64, 128, 256, 256, 256]);
    read(() => 100, 2);
    expect(reading.buffer()).toHaveLength(16 * 1024);
  });
});
