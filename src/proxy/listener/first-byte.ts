import type { Socket } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import { type ClientHello, clientHello } from './client-hello.js';

/** What the first bytes of a connection say it is. */
export type Opening =
  | ({ readonly kind: 'tls' } & ClientHello)
  | { readonly kind: 'plain' }
  /** Nothing came within the time allowed. */
  | { readonly kind: 'silent' }
  /** The peer closed before it said anything. */
  | { readonly kind: 'closed' };

/** First byte of a TLS record that holds a handshake message. */
const TLS_HANDSHAKE = 0x16;

/**
 * Waits for the first byte, of TLS for the client's hello, and puts it back, so that whoever takes the socket next reads it
 * again. The socket is paused when the callback runs.
 */
export function readOpening(
  socket: Socket,
  clock: Clock,
  timeoutMs: number,
  onOpening: (opening: Opening) => void,
): void {
  const timer = clock.after(timeoutMs, () => settle({ kind: 'silent' }));
  let seen: Buffer | null = null;
  const onReadable = (): void => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return;
    seen = seen === null ? chunk : Buffer.concat([seen, chunk]);
    const hello = seen[0] === TLS_HANDSHAKE ? clientHello(seen) : null;
    if (seen[0] === TLS_HANDSHAKE && hello === null) return;
    settle(hello === null ? { kind: 'plain' } : { kind: 'tls', ...hello });
  };
  const onClosed = (): void => settle({ kind: 'closed' });
  const settle = (opening: Opening): void => {
    timer.cancel();
    socket.off('readable', onReadable);
    socket.off('end', onClosed);
    socket.off('close', onClosed);
    // Half a hello is nothing that could go on.
    if (seen !== null && opening.kind !== 'tls' && opening.kind !== 'plain') return onOpening({ kind: 'closed' });
    if (seen !== null) socket.unshift(seen);
    onOpening(opening);
  };
  socket.on('readable', onReadable);
  socket.on('end', onClosed);
  socket.on('close', onClosed);
}
