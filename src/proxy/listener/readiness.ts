import { createServer, type Server } from 'node:net';

/** `GET /healthz/ready` on port 15021, as Istio's: 200 when a configuration is obeyed, 503 before. No HTTP library: the answer is constant. */
export function serveReadiness(host: string, port: number, isReady: () => boolean): Promise<Server> {
  const server = createServer((socket) => {
    socket.on('error', () => {});
    socket.once('data', () => {
      const status = isReady() ? '200 OK' : '503 Service Unavailable';
      socket.end(`HTTP/1.1 ${status}\r\ncontent-length: 0\r\nconnection: close\r\n\r\n`);
    });
    socket.setTimeout(5_000, () => socket.destroy());
  });
  server.maxConnections = 64;
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve(server));
  });
}
