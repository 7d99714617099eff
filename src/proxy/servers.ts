import { createServer, type Server, type Socket } from 'node:net';

/** The open downstream sockets of a sidecar, for the connection cap and for draining. */
export class Sockets {
  readonly #open = new Set<Socket>();
  readonly #most: () => number;
  /** Connections that were one too many. */
  refused = 0;

  /** `most` connections at a time; more are reset and counted. */
  constructor(most: () => number) {
    this.#most = most;
  }

  get size(): number {
    return this.#open.size;
  }

  /** False = over the cap; the socket has been reset. */
  admit(socket: Socket): boolean {
    if (this.#open.size >= this.#most()) {
      this.refused++;
      socket.resetAndDestroy();
      return false;
    }
    this.#open.add(socket);
    socket.on('close', () => this.#open.delete(socket));
    socket.on('error', () => {});
    return true;
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy();
  }
}

/** Listens and resolves with the server and its port; rejects when the port is taken. */
export function listen(
  host: string,
  port: number,
  sockets: Sockets,
  onConnection: (socket: Socket) => void,
): Promise<{ server: Server; port: number }> {
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (sockets.admit(socket)) onConnection(socket);
  });
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port, backlog: 1024 }, () => {
      server.off('error', reject);
      const address = server.address();
      resolve({ server, port: typeof address === 'object' && address !== null ? address.port : port });
    });
  });
}
