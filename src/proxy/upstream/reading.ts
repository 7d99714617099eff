import type { OnReadOpts, Socket } from 'node:net';

/** What most messages fit in, bytes: they are copied out of a buffer that all sockets share. */
const SMALL = 16 * 1024;
/** Buffers of a socket's own, bytes: the first one, and the largest. */
const FIRST = 64 * 1024;
const LARGEST = 256 * 1024;
/** A rest of a buffer that is worth a read, bytes. */
const WORTH_A_READ = 32 * 1024;

const shared = Buffer.allocUnsafeSlow(SMALL);

/**
 * Where a socket's bytes go (`onread` of `net.connect`), which without it are 64 KiB allocated and shrunk for each read. A
 * small read is copied out of a shared buffer. One that fills it begins a bulk: it gets buffers of its own, which are given
 * away piece by piece and never written to twice, and which grow as long as reads fill them: fewer, larger reads are what
 * bulk bodies cost least with. The socket emits `data` as any other.
 */
export class Reading implements OnReadOpts {
  #socket: Socket | null = null;
  #into: Buffer = shared;

  /** Asked for after each read. */
  readonly buffer = (): Buffer => this.#into;

  readonly callback = (length: number, filled: Uint8Array): boolean => {
    const into = filled as Buffer;
    const chunk = into === shared ? Buffer.from(into.subarray(0, length)) : into.subarray(0, length);
    this.#into = next(into, length);
    this.#socket?.emit('data', chunk);
    return true;
  };

  /** Which socket it is; before its first byte. */
  of(socket: Socket): Socket {
    this.#socket = socket;
    return socket;
  }
}

function next(into: Buffer, length: number): Buffer {
  if (length < SMALL) return shared;
  if (into === shared) return Buffer.allocUnsafeSlow(FIRST);
  if (length === into.length) return Buffer.allocUnsafeSlow(Math.min(LARGEST, 2 * into.buffer.byteLength));
  return into.length - length >= WORTH_A_READ ? into.subarray(length) : Buffer.allocUnsafeSlow(into.buffer.byteLength);
}
