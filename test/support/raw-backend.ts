import { createServer, type Socket } from 'node:net';
import { afterEach } from 'vitest';
import type { Clock } from '../../src/platform/clock.js';
import { oneCodec } from './one-codec.js';

/** A back end that is told byte by byte what to do. */
export interface RawBackend {
  readonly port: number;
  /** Connections that are open. */
  readonly open: ReadonlySet<Socket>;
  /** What came on each connection, in the order in which they were opened. */
  readonly received: readonly string[];
  close(): void;
}

/** `onData` hears all that came on a connection so far, and which connection it is (0 = the first). */
export async function rawBackend(onData: (socket: Socket, all: string, n: number) => void): Promise<RawBackend> {
  const open = new Set<Socket>();
  const received: string[] = [];
  const server = createServer({ noDelay: true, allowHalfOpen: true }, (socket) => {
    const n = received.push('') - 1;
    open.add(socket);
    socket.on('error', () => {}).on('close', () => open.delete(socket));
    socket.on('end', () => socket.end());
    socket.setEncoding('latin1').on('data', (data: string) => {
      received[n] += data;
      onData(socket, received[n] as string, n);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    open,
    received,
    close() {
      server.close();
      for (const socket of open) socket.destroy();
    },
  };
}

/** A sidecar before such a back end. */
export async function beforeBackend(onData: (socket: Socket, all: string, n: number) => void, clock?: Clock) {
  const backend = await rawBackend(onData);
  const codec = await oneCodec(backend.port, clock);
  return {
    backend,
    ...codec,
    /** What the sidecar recorded since the last call. */
    records: () => codec.sidecar.recorder.take().exchanges,
    close() {
      codec.close();
      backend.close();
    },
  };
}

export type Bed = Awaited<ReturnType<typeof beforeBackend>>;

/** Makes the one that a test needs; it is closed when the test is over. */
export function bedPerTest(): (...parts: Parameters<typeof beforeBackend>) => Promise<Bed> {
  let bed: Bed | undefined;
  afterEach(() => {
    bed?.close();
    bed = undefined;
  });
  return async (...parts) => {
    bed = await beforeBackend(...parts);
    return bed;
  };
}
