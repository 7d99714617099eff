import { type AddressInfo, createServer } from 'node:net';
import { connect } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { offeredProtocols } from '../../../src/proxy/listener/client-hello.js';
import { forChance } from '../../support/chance.js';

/** The first bytes of a real client. */
function helloOf(offered: string[] | undefined): Promise<Buffer> {
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
      const options = { port, host: '127.0.0.1', servername: 'reviews', rejectUnauthorized: false };
      connect({ ...options, ...(offered === undefined ? {} : { ALPNProtocols: offered }) }).on('error', () => {});
    });
  });
}

describe('the protocols that a TLS client offers', () => {
  it.each([[['istio']], [['istio-http/1.1', 'h2', 'x']]])('%j are read before anybody answers', async (names) => {
    expect(offeredProtocols(await helloOf(names))).toEqual(names);
  });

  it('are none where it offers none', async () => {
    expect(offeredProtocols(await helloOf(undefined))).toEqual([]);
  });

  it('wait for the whole hello, byte by byte', async () => {
    const hello = await helloOf(['istio']);
    for (let length = 0; length < hello.length; length++)
      expect(offeredProtocols(hello.subarray(0, length))).toBe(null);
  });

  it('are never more than what stands there, whatever the bytes are', async () => {
    const hello = await helloOf(['istio']);
    forChance(2_000, (chance) => {
      const broken = Buffer.from(hello);
      for (let n = 0; n < 4; n++) broken[chance.below(broken.length)] = chance.below(256);
      const read = offeredProtocols(broken);
      expect(read === null || read.join('').length <= broken.length).toBe(true);
    });
  });
});
