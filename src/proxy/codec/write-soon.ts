import type { Socket } from 'node:net';

/** Sockets that hold back what was written to them since the last burst. */
let held: Socket[] = [];

/**
 * Writes at the end of this turn of the event loop. What a burst of reads causes leaves in one go: pieces for the same
 * socket share a system call, and the peer is woken once for many messages instead of once for each, which is what small
 * writes cost most. A lone request loses nothing: the turn ends right behind it. Returns false when the peer is slow, as
 * `socket.write` does.
 */
export function writeSoon(socket: Socket, data: string | Buffer): boolean {
  if (socket.writableCorked === 0) {
    socket.cork();
    held.push(socket);
    if (held.length === 1) setImmediate(release);
  }
  return typeof data === 'string' ? socket.write(data, 'latin1') : socket.write(data);
}

/** {@link writeSoon} for several pieces. */
export function writeAllSoon(socket: Socket, pieces: readonly (string | Buffer)[]): boolean {
  let ready = true;
  for (const piece of pieces) ready = writeSoon(socket, piece);
  return ready;
}

/** Writes now what a socket holds back: before it is reset, or handed to somebody else. */
export function writeNow(socket: Socket): void {
  while (socket.writableCorked > 0) socket.uncork();
}

function release(): void {
  const sockets = held;
  held = [];
  for (let i = 0; i < sockets.length; i++) writeNow(sockets[i] as Socket);
}
