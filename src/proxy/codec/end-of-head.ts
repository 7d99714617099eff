import { CR, LF } from './bytes.js';

/**
 * Index of the first CRLF CRLF in `buffer` at or behind `from`, or -1. Looks at every fourth byte only while these are
 * no line ends, which is most of a head.
 */
export function endOfHead(buffer: Uint8Array, from: number): number {
  let at = from + 3;
  while (at < buffer.length) {
    const byte = buffer[at] as number;
    if (byte > CR) at += 4;
    else if (byte === LF) {
      if (buffer[at - 1] === CR && buffer[at - 2] === LF && buffer[at - 3] === CR) return at - 3;
      at += 2;
    } else at += byte === CR ? 1 : 4;
  }
  return -1;
}
