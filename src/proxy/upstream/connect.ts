import { connect, type Socket } from 'node:net';
import type { Clock } from '../../platform/clock.js';
import type { Abortable } from '../pipeline/call.js';
import { ProxyError } from '../pipeline/proxy-error.js';

/** A connection being opened: the promise, and the means to give up. */
export interface Opening extends Abortable {
  readonly socket: Promise<Socket>;
}

/** Opens a TCP connection; rejects with `connect_failure`, `connect_timeout`, or what it was aborted with. */
export function openSocket(address: string, port: number, timeoutMs: number, clock: Clock): Opening {
  const socket = connect({ host: address, port, noDelay: true, allowHalfOpen: true });
  let refuse: (error: ProxyError) => void = () => {};
  const opened = new Promise<Socket>((resolve, reject) => {
    const timer = clock.after(timeoutMs, () => refuse(new ProxyError('connect_timeout', `${address}:${port}`)));
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
  return { socket: opened, abort: (error) => refuse(error) };
}
