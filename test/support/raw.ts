import { connect } from 'node:net';

/** Sends bytes to a port and collects what comes back until the peer closes (or `done` says it is enough). */
export function raw(
  port: number,
  bytes: string | Buffer,
  done: (received: string) => boolean = () => false,
): Promise<{ received: string; reset: boolean }> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    let received = '';
    let reset = false;
    socket.setEncoding('latin1');
    socket.on('connect', () => socket.write(bytes));
    socket.on('data', (text: string) => {
      received += text;
      if (done(received)) socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      reset = error.code === 'ECONNRESET';
    });
    socket.on('end', () => socket.end());
    socket.on('close', () => resolve({ received, reset }));
  });
}

/** Port of an `http://127.0.0.1:PORT` URL. */
export function portOf(url: string): number {
  return Number(new URL(url).port);
}
