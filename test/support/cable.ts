import { connect, createServer, type Server, type Socket } from 'node:net';

/** A TCP port in front of the engine's socket that can be pulled out, plugged in again, and made to lie. */
export interface Cable {
  readonly port: number;
  /** What goes through from now on and whose first bytes match gets this answer instead of the engine's. */
  answer(request: RegExp, status: string, body: object): void;
  /** Calls back once, with the first request that matches, before it goes on. */
  onceAsked(request: RegExp, then: () => void): void;
  /** Calls back with the first line of every request, before it goes on. */
  onRequest: ((line: string) => void) | null;
  unplug(): Promise<void>;
  plug(): Promise<void>;
  close(): void;
}

export async function openCable(socketPath: string): Promise<Cable> {
  const sockets = new Set<Socket>();
  const lies: { request: RegExp; response: string }[] = [];
  const watchers = new Map<RegExp, () => void>();
  const told: { onRequest: ((line: string) => void) | null } = { onRequest: null };
  const server: Server = createServer((near) => {
    const far = connect(socketPath);
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    }
    near.on('data', (chunk: Buffer) => {
      const head = chunk.toString('latin1', 0, 1_000);
      if (/^[A-Z]+ \/\S* HTTP\/1/.test(head)) told.onRequest?.(head.slice(0, head.indexOf('\r\n')));
      for (const [request, then] of watchers) {
        if (!request.test(head)) continue;
        watchers.delete(request);
        then();
      }
      const lie = lies.find(({ request }) => request.test(head));
      if (lie === undefined) return void far.write(chunk);
      // Whatever else the request says is swallowed with it.
      near.removeAllListeners('data').resume();
      far.destroy();
      near.end(lie.response);
    });
    near.on('end', () => far.end());
    far.pipe(near);
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve) => server.listen(port, '127.0.0.1', () => resolve()));
  await listen(0);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return Object.assign(told, {
    port,
    answer(request: RegExp, status: string, body: object) {
      const text = JSON.stringify(body);
      const head = `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\nConnection: close\r\n\r\n`;
      lies.push({ request, response: head + text });
    },
    onceAsked(request: RegExp, then: () => void) {
      watchers.set(request, then);
    },
    async unplug() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    async plug() {
      if (!server.listening) await listen(port);
    },
    close() {
      server.close();
      for (const socket of sockets) socket.destroy();
    },
  });
}
