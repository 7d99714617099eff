import type { Duplex } from 'node:stream';

/**
 * Joins two byte streams until both directions have ended. Half-close is passed on, a broken side resets the other.
 * `firstFromA` and `firstFromB` are bytes that were read already. Calls back once with the bytes that went each way.
 */
export function joinStreams(
  a: Duplex,
  b: Duplex,
  firstFromA: Buffer,
  firstFromB: Buffer,
  onClosed: (bytes: { fromA: number; fromB: number }) => void,
): void {
  const bytes = { fromA: firstFromA.length, fromB: firstFromB.length };
  let open = 2;
  let closed = false;
  const close = (): void => {
    if (closed) return;
    closed = true;
    a.destroy();
    b.destroy();
    onClosed(bytes);
  };
  const pump = (from: Duplex, to: Duplex, first: Buffer, count: (n: number) => void): void => {
    if (first.length > 0) to.write(first);
    from.on('data', (chunk: Buffer) => {
      count(chunk.length);
      if (!to.write(chunk)) from.pause();
    });
    to.on('drain', () => from.resume());
    from.on('end', () => {
      to.end();
      if (--open === 0) close();
    });
    from.on('error', close);
    from.on('close', close);
    from.resume();
  };
  pump(a, b, firstFromA, (n) => {
    bytes.fromA += n;
  });
  pump(b, a, firstFromB, (n) => {
    bytes.fromB += n;
  });
}
