import { connect, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { FakeClock } from '../../support/fake-clock.js';
import { raw } from '../../support/raw.js';
import { bedPerTest } from '../../support/raw-backend.js';
import { until } from '../../support/until.js';

/** How connections end; each of these went wrong once. */
const bedOf = bedPerTest();
const sockets: Socket[] = [];

afterEach(() => {
  for (const socket of sockets.splice(0)) socket.destroy();
});

const OK = 'HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok';
const request = (line: string, fields = ''): string => `${line} HTTP/1.1\r\nHost: web\r\n${fields}\r\n`;

/** A client that ends its side only when it is told to. */
function client(port: number): { socket: Socket; received: () => string; ended: () => boolean } {
  const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
  sockets.push(socket);
  let received = '';
  let ended = false;
  socket.on('error', () => {});
  socket.setEncoding('latin1').on('data', (text: string) => {
    received += text;
  });
  socket.on('end', () => {
    ended = true;
  });
  return { socket, received: () => received, ended: () => ended };
}

describe('a caller that ends its side', () => {
  it('in the middle of a request behind another is let go, with the answer to the first', async () => {
    const { port, records, backend } = await bedOf((socket) => socket.write(OK));
    const { socket, received, ended } = client(port);
    socket.end(`${request('GET /one')}${request('POST /two', 'Content-Length: 10\r\n')}half`);
    await until(ended, 'the sidecar ends its side');
    expect(received().match(/HTTP\/1\.1 200/g), received()).toHaveLength(1);
    expect(backend.received.join('')).not.toContain('/two');
    expect(records().map(({ request: { path }, failure }) => [path, failure])).toEqual([
      ['/one', null],
      ['/two', 'client_gone'],
    ]);
  });

  it('while its answers still wait to be read is let go when it has them all', async () => {
    const size = 60_000;
    const { port, accepted, records } = await bedOf((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${size}\r\n\r\n${'x'.repeat(size)}`),
    );
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    sockets.push(socket.pause());
    let answered = 0;
    const oneMore = async (): Promise<boolean> => {
      socket.write(request(`GET /${answered}`));
      await until(() => records().length === 1, 'it is answered');
      answered++;
      return accepted[0]?.writableNeedDrain === true;
    };
    while (!(await oneMore()));
    socket.end();
    await until(() => accepted[0]?.readableEnded === true, 'the sidecar knows');
    let bytes = 0;
    let ended = false;
    socket.on('data', (data) => {
      bytes += data.length;
    });
    socket.on('end', () => {
      ended = true;
    });
    socket.resume();
    await until(() => ended, 'the sidecar ends its side', 5_000);
    expect(bytes).toBeGreaterThan(size * answered);
  });
});

describe('an answer that breaks off', () => {
  it.each([
    ['in its head', 'HTTP/1.1 200 OK\r\nContent-Le'],
    ['behind an interim one', 'HTTP/1.1 103 Early Hints\r\n\r\n'],
  ])('%s is not asked for again on another connection (B14)', async (_, part) => {
    const { port, backend } = await bedOf((socket, all) => {
      if (all.includes('/second')) socket.end(part);
      else socket.write(OK);
    });
    await raw(port, request('GET /first'), (text) => text.endsWith('ok'));
    const { received } = await raw(port, request('GET /second', 'Connection: close\r\n'));
    expect(received).toMatch(/HTTP\/1\.1 502 /);
    expect(backend.received.join('').match(/GET \/second/g)).toHaveLength(1);
  });
});

describe('an answer without a length', () => {
  const head = 'HTTP/1.1 200 OK\r\n\r\npart';

  it('that is reset together with its last bytes is no whole one (B7)', async () => {
    const { port } = await bedOf((socket) => socket.write(head, () => setImmediate(() => socket.resetAndDestroy())));
    const { received } = await raw(port, request('GET /cut', 'Connection: close\r\n'));
    expect(received).not.toMatch(/0\r\n\r\n$/);
  });

  it('that is ended is one', async () => {
    const { port } = await bedOf((socket) => socket.end(head));
    const { received } = await raw(port, request('GET /whole', 'Connection: close\r\n'));
    expect(received).toMatch(/\r\n\r\n4\r\npart\r\n0\r\n\r\n$/);
  });
});

describe('a request behind one that asked to close', () => {
  it('is not read, and nothing is recorded of it', async () => {
    const clock = new FakeClock();
    const { port, records, accepted } = await bedOf((socket) => socket.write(OK), clock);
    const { socket, ended } = client(port);
    socket.write(`${request('GET /last', 'Connection: close\r\n')}${request('GET /behind')}`);
    await until(ended, 'the sidecar ends its side');
    // The caller does not end its own: in the end the sidecar does that for it.
    clock.advance(11_000);
    await until(() => accepted[0]?.destroyed === true, 'it is cut');
    expect(records().map(({ request: { path } }) => path)).toEqual(['/last']);
  });
});

describe('an answer of a thousand fields', () => {
  it('is no fault of the caller (B11)', async () => {
    const { port } = await bedOf((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\nContent-Length: 0\r\n${'X: 1\r\n'.repeat(101)}\r\n`),
    );
    const { received } = await raw(port, request('GET /many', 'Connection: close\r\n'));
    expect(received).toMatch(/^HTTP\/1\.1 502 /);
  });
});
