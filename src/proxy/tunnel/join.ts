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
    const ended = (): void => {
      to.end();
      if (--open === 0) close();
    };
    // A side that ended before it was joined says so no second time.
    if (from.readable || !('readableEnded' in from && from.readableEnded)) from.on('end', ended);
    else ended();
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
