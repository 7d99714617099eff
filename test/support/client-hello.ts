import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';

/** The first bytes of a real TLS client. */
export function helloOf(servername: string, offered?: string[]): Promise<Buffer> {
  return new Promise((resolve) => {
    const server = createServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (data) => {
        socket.destroy();
        server.close();
        resolve(data);
      });
    });
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as AddressInfo;
      const options = { port, host: '127.0.0.1', servername, rejectUnauthorized: false };
      connect({ ...options, ...(offered === undefined ? {} : { ALPNProtocols: offered }) }).on('error', () => {});
    });
  });
}
