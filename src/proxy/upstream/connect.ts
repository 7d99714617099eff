import { connect, type Socket } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import type { Abortable } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';
import { Reading } from './reading.js';

/** A connection being opened: the promise, and the means to give up. */
export interface Opening extends Abortable {
  readonly socket: Promise<Socket>;
}

/** A connection for HTTP in plaintext, whose reads cost less. Nothing may stand between it and whoever reads it. */
export function openPlain(address: string, port: number, timeoutMs: number, clock: Clock): Opening {
  const reading = new Reading();
  const socket = reading.of(connect({ host: address, port, noDelay: true, allowHalfOpen: true, onread: reading }));
  return opened(socket, `${address}:${port}`, timeoutMs, clock);
}

/** Opens a TCP connection; rejects with `connect_failure`, `connect_timeout`, or what it was aborted with. */
export function openSocket(address: string, port: number, timeoutMs: number, clock: Clock): Opening {
  const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true });
  return opened(socket, `${address}:${port}`, timeoutMs, clock);
}

function opened(socket: Socket, where: string, timeoutMs: number, clock: Clock): Opening {
  let refuse: (error: ProxyError) => void = () => {};
  const open = new Promise<Socket>((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => refuse(new ProxyError('connect_timeout', where)));
    refuse = (error) => {
      timer.cancel();
      socket.destroy();
      reject(error);
    };
    const onError = (cause: Error): void => refuse(new ProxyError('connect_failure', cause.message, { cause }));
    socket.once('error', onError);
    socket.once('connect', () => {
      timer.cancel();
      socket.off('error', onError);
      // From here on a late error belongs to whoever took the socket; this one keeps it from ending the process.
      socket.on('error', () => {});
      resolve(socket);
    });
  });
  return { socket: open, abort: (error) => refuse(error) };
}
