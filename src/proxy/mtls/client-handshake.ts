import type { TLSSocket } from 'node:tls';
import { ProxyError } from '../pipeline/proxy-error.js';

/**
 * Waits for a client's handshake and asks what comes of it. Rejects with that where it is an error, else with
 * `tls_failure` when there is none; the socket is closed then.
 */
export function handshake<T>(socket: TLSSocket, secured: () => T | ProxyError): Promise<T> {
  return new Promise((resolve, reject) => {
    const refuse = (error: ProxyError): void => {
      socket.destroy();
      reject(error);
    };
    socket.once('error', (cause) => refuse(new ProxyError('tls_failure', cause.message, { cause })));
    socket.once('close', () => refuse(new ProxyError('tls_failure', 'closed during the handshake')));
    socket.once('secureConnect', () => {
      const found = secured();
      if (found instanceof ProxyError) return refuse(found);
      socket.removeAllListeners('error');
      socket.removeAllListeners('close');
      // A late error belongs to whoever takes the socket; this one keeps it from ending the process.
      socket.on('error', () => {});
      resolve(found);
    });
  });
}
