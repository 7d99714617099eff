import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { writeNow, writeSoon } from '../../../src/proxy/codec/write-soon.js';

let server: Server;
let near: Socket;
let far: Socket;
let received = '';

beforeEach(async () => {
  received = '';
  server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  near = connect((server.address() as AddressInfo).port, '127.0.0.1');
  near.on('error', () => {});
  [far] = (await once(server, 'connection')) as [Socket];
  far.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
});
afterEach(() => {
  near.destroy();
  far.destroy();
  server.close();
});

const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('writing soon', () => {
  it('sends what one turn wrote in one go, in order, text as Latin-1', async () => {
    const writes = vi.spyOn(near as unknown as { _writev: (...args: unknown[]) => void }, '_writev');
    writeSoon(near, 'a\xe4');
    writeSoon(near, Buffer.from('b'));
    writeSoon(near, 'c');
    await vi.waitFor(() => expect(received).toBe('a\xe4bc'));
    expect(writes).toHaveBeenCalledTimes(1);
  });

  it('holds back no longer than the turn, and then nothing is held any more', async () => {
    writeSoon(near, 'a');
    expect(near.writableCorked).toBe(1);
    await turn();
    expect(near.writableCorked).toBe(0);
    near.write('b');
    await vi.waitFor(() => expect(received).toBe('ab'));
  });

  it('keeps the order with what is written at once', async () => {
    writeSoon(near, 'a');
    near.write('b');
    writeNow(near);
    near.write('c');
    writeSoon(near, 'd');
    await vi.waitFor(() => expect(received).toBe('abcd'));
  });

  it('sends what is held before the end', async () => {
    writeSoon(near, 'last words');
    near.end();
    await once(far, 'end');
    expect(received).toBe('last words');
  });

  it('tells a slow peer, as write does', async () => {
    far.pause();
    expect(writeSoon(near, 'a')).toBe(true);
    expect(writeSoon(near, Buffer.alloc(1_000_000))).toBe(false);
  });

  it('does nobody harm when a socket is gone by the end of the turn', async () => {
    writeSoon(near, 'a');
    near.destroy();
    await turn();
    expect(near.destroyed).toBe(true);
  });
});
