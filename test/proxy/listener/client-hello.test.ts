import { describe, expect, it } from 'vitest';
import { clientHello } from '../../../src/proxy/listener/client-hello.js';
import { forChance } from '../../support/chance.js';
import { helloOf } from '../../support/client-hello.js';

describe('the protocols that a TLS client offers, and the name that it asks for', () => {
  it.each([[['istio']], [['istio-http/1.1', 'h2', 'x']]])('%j are read before anybody answers', async (names) => {
    expect(clientHello(await helloOf('reviews', names))).toEqual({ offered: names, serverName: 'reviews' });
  });

  it('are none where it offers none', async () => {
    expect(clientHello(await helloOf('reviews'))?.offered).toEqual([]);
  });

  it('wait for the whole hello, byte by byte', async () => {
    const hello = await helloOf('reviews', ['istio']);
    for (let length = 0; length < hello.length; length++) expect(clientHello(hello.subarray(0, length))).toBe(null);
  });

  it('are never more than what stands there, whatever the bytes are', async () => {
    const hello = await helloOf('reviews', ['istio']);
    forChance(2_000, (chance) => {
      const broken = Buffer.from(hello);
      for (let n = 0; n < 4; n++) broken[chance.below(broken.length)] = chance.below(256);
      const read = clientHello(broken);
      expect(read === null || [...read.offered, read.serverName].join('').length <= broken.length).toBe(true);
    });
  });
});
